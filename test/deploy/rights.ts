import type { Rule } from "./manifests.ts";

/** `verb group/resource` for each thing that the rules allow; the core group is `core`. Sorted. */
export function rights(rules: readonly Rule[]): readonly string[] {
  return rules
    .flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.map(
            (verb) => `${verb} ${group || "core"}/${resource}${resourceNames ? `: ${resourceNames.join(", ")}` : ""}`,
          ),
        ),
      ),
    )
    .sort();
}

/** All of the verbs on each of the resources, as `rights` writes them. */
function each(verbs: readonly string[], resources: readonly string[]): readonly string[] {
  return resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)).sort();
}

const look = ["get", "list", "watch"];

/** What `explain` reads beside NetworkPolicy: the table of src/kubernetes/policy-apis.ts, as a test compares. */
export const policyKinds: readonly string[] = [
  ...["adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies"].map(
    (plural) => `policy.networking.k8s.io/${plural}`,
  ),
  ...["ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies", "ciliumcidrgroups"].map(
    (plural) => `cilium.io/${plural}`,
  ),
  ...["crd.projectcalico.org", "projectcalico.org"].flatMap((group) =>
    ["tiers", "globalnetworkpolicies", "networkpolicies", "networksets", "globalnetworksets", "hostendpoints"].map(
      (plural) => `${group}/${plural}`,
    ),
  ),
  ...["clusternetworkpolicies", "networkpolicies", "tiers", "clustergroups", "groups"].map(
    (plural) => `crd.antrea.io/${plural}`,
  ),
  "networking.k8s.aws/clusternetworkpolicies",
  "k8s.ovn.org/egressfirewalls",
];

/** What a ServiceAccount is bound to: a plan says what is to be rotated. */
const bindings = ["list rbac.authorization.k8s.io/rolebindings", "list rbac.authorization.k8s.io/clusterrolebindings"];

/** Which engines are enforced and, by Cilium, whether a pod is covered. Of ConfigMaps those of network plugins alone. */
const engines = [
  "get core/configmaps: cilium-config, antrea-config, amazon-vpc-cni, ovnkube-config",
  "list crd.antrea.io/antreaagentinfos",
  "get cilium.io/ciliumendpoints",
  "list cilium.io/ciliumnodeconfigs",
];

/** What components/engines grants: policies that belong to the cluster, and Calico's tier. */
export const expectedOfEngines = {
  "bulkhead-engines": [
    ...each(
      ["create", "delete"],
      [
        "policy.networking.k8s.io/adminnetworkpolicies",
        "policy.networking.k8s.io/clusternetworkpolicies",
        "crd.antrea.io/clusternetworkpolicies",
        "projectcalico.org/globalnetworkpolicies",
      ],
    ),
    ...each(["create", "delete", "get"], ["projectcalico.org/tier.globalnetworkpolicies: bulkhead.*"]),
    // Made once, and never taken away.
    "create projectcalico.org/tiers",
  ].sort(),
} as const;

/** Of the policy kinds those that lie in namespaces: a rollback writes the whole object. */
const namespacedKinds = [
  "networking.k8s.io/networkpolicies",
  "cilium.io/ciliumnetworkpolicies",
  ...["networkpolicies", "networksets"].flatMap((plural) => [
    `crd.projectcalico.org/${plural}`,
    `projectcalico.org/${plural}`,
  ]),
  "crd.antrea.io/networkpolicies",
  "crd.antrea.io/groups",
  "k8s.ovn.org/egressfirewalls",
];

const whole = ["create", "delete", "get", "update"];

/** What components/rollback grants: every other kind of policy that is read. */
export const expectedOfRollback = {
  "bulkhead-rollback-cluster": each(whole, [
    ...policyKinds.filter((kind) => !namespacedKinds.includes(kind)),
    "projectcalico.org/tier.globalnetworkpolicies",
  ]),
} as const;

/** What deploy/ grants, and why. A right that is not here is not granted; one that is here is needed. */
export const expected = {
  /** The bot, everywhere. */
  "bulkhead-read": [
    ...each(look, [
      // Names that people type; labels that policies select by; protection.
      "core/namespaces",
      // The target, its labels, its node, its owner.
      "core/pods",
      // What the pod leaves, and whether it is the last ready one.
      "core/services",
      // What its controller does: starts a replacement, works again, stalls.
      "core/replicationcontrollers",
      "apps/deployments",
      "apps/replicasets",
      "apps/statefulsets",
      "apps/daemonsets",
      "batch/jobs",
      // What else allows or denies its traffic; what of ours is in force.
      "networking.k8s.io/networkpolicies",
      ...policyKinds,
    ]),
    // The pod's identity and what that may do; what disruptions are still allowed without the pod.
    "get core/serviceaccounts",
    ...bindings,
    "list policy/poddisruptionbudgets",
    ...engines,
  ].sort(),
  /** The bot, in a namespace that has opted in. */
  "bulkhead-write": [
    // Our policies come and go with the operation; an extension patches the time of an allowance.
    ...each(["create", "delete", "patch"], ["networking.k8s.io/networkpolicies"]),
    // The quarantine label, and the labels that come off and go back; `release --delete-pod`.
    ...each(["delete", "patch"], ["core/pods"]),
  ].sort(),
  /** The bot, in a namespace that lets it write more than NetworkPolicies. */
  "bulkhead-write-engines": [
    ...each(
      ["create", "delete"],
      ["cilium.io/ciliumnetworkpolicies", "crd.antrea.io/networkpolicies", "projectcalico.org/networkpolicies"],
    ),
    // Calico asks for these by the tier's name.
    ...each(["create", "delete", "get"], ["projectcalico.org/tier.networkpolicies: bulkhead.*"]),
  ].sort(),
  /** The bot, in a namespace where policies of others may be changed, as a person has confirmed twice. */
  "bulkhead-amend": ["amend networking.k8s.io/networkpolicies", "patch networking.k8s.io/networkpolicies"],
  /** The bot, in a namespace where what others changed may be rolled back: every kind of policy that lies in namespaces. */
  "bulkhead-rollback": each(whole, [...namespacedKinds, "projectcalico.org/tier.networkpolicies"]),
  /** The bot, in its own namespace: records of operations that began without Redis, found, progressed, adopted. */
  "bulkhead-records": each(["create", "delete", "get", "list", "update"], ["core/configmaps"]),
  /** The reaper, everywhere: what is past its time may be in any namespace. */
  "bulkhead-reaper-read": each(["get", "list"], ["networking.k8s.io/networkpolicies"]),
  /** The reaper, in a namespace that has opted in. */
  "bulkhead-reaper": ["delete networking.k8s.io/networkpolicies"],
  /** The reaper, in Bulkhead's own namespace: its heartbeat. */
  "bulkhead-reaper-heartbeat": [
    "create core/configmaps",
    "get core/configmaps: bulkhead-reaper",
    "update core/configmaps: bulkhead-reaper",
  ],
  /** A person at a terminal. The ClusterRole: what `edit` on one's own namespaces leaves out. */
  "ClusterRole/bulkhead-terminal": [
    ...each(look, ["core/namespaces", "networking.k8s.io/networkpolicies", ...policyKinds]),
    ...bindings,
    "list apps/daemonsets",
    ...engines,
  ].sort(),
  /** The Role: one's own record, and reading the configuration. */
  "Role/bulkhead-terminal": each(["create", "get", "list", "update"], ["core/configmaps"]),
  /** The Role of deploy/components/canary: the canary's own pods and policies, in a namespace of their own. */
  "Role/bulkhead-canary": each(["create", "delete", "get", "list"], ["core/pods", "networking.k8s.io/networkpolicies"]),
  /** Its ClusterRole: which node pools there are. */
  "ClusterRole/bulkhead-canary": each(["get", "list"], ["core/nodes"]),
} as const;
