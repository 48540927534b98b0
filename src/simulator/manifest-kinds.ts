/** What an object of a kind is read for. */
export type ManifestKind = {
  readonly role: "namespace" | "pod" | "workload" | "service" | "policy";
  readonly namespaced: boolean;
};

/** A kind that would matter, but misspelt, or of an API that is not read: by mistake, or one of another engine. */
type UnknownKind = {
  readonly unknown: "broken" | "warnings";
  readonly field: "apiVersion" | "kind";
  readonly message: string;
};

const namespaced = (role: ManifestKind["role"]): ManifestKind => ({ role, namespaced: true });
const clusterWide = (role: ManifestKind["role"]): ManifestKind => ({ role, namespaced: false });

const apps = {
  Deployment: namespaced("workload"),
  ReplicaSet: namespaced("workload"),
  DaemonSet: namespaced("workload"),
  StatefulSet: namespaced("workload"),
};
const jobs = { Job: namespaced("workload"), CronJob: namespaced("workload") };

const calico = {
  NetworkPolicy: namespaced("policy"),
  NetworkSet: namespaced("policy"),
  GlobalNetworkPolicy: clusterWide("policy"),
  GlobalNetworkSet: clusterWide("policy"),
  HostEndpoint: clusterWide("policy"),
  Tier: clusterWide("policy"),
};

const antrea = {
  NetworkPolicy: namespaced("policy"),
  Group: namespaced("policy"),
  ClusterNetworkPolicy: clusterWide("policy"),
  ClusterGroup: clusterWide("policy"),
  Tier: clusterWide("policy"),
};

/** By API group and kind. The translators judge a policy's version. */
const kinds: Readonly<Record<string, Readonly<Record<string, ManifestKind>>>> = {
  "": {
    Namespace: clusterWide("namespace"),
    Pod: namespaced("pod"),
    ReplicationController: namespaced("workload"),
    Service: namespaced("service"),
  },
  apps,
  extensions: apps,
  batch: jobs,
  "networking.k8s.io": { NetworkPolicy: namespaced("policy") },
  "policy.networking.k8s.io": {
    AdminNetworkPolicy: clusterWide("policy"),
    BaselineAdminNetworkPolicy: clusterWide("policy"),
    ClusterNetworkPolicy: clusterWide("policy"),
  },
  "cilium.io": {
    CiliumNetworkPolicy: namespaced("policy"),
    CiliumClusterwideNetworkPolicy: clusterWide("policy"),
    CiliumCIDRGroup: clusterWide("policy"),
  },
  "projectcalico.org": calico,
  "crd.projectcalico.org": calico,
  "crd.antrea.io": antrea,
};

/**
 * What the kind is read for; undefined for one that does not matter. A kind that would matter, by an apiVersion that is
 * none of its own, is not left out in silence: the answer would be one for a cluster without it.
 */
export function kindOf(apiVersion: string, kind: string): ManifestKind | UnknownKind | undefined {
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  const known = Object.hasOwn(kinds, group) ? kinds[group] : undefined;
  if (known !== undefined && Object.hasOwn(known, kind)) return known[kind];
  const meant = Object.keys(known ?? {}).find((each) => isSpeltAs(each, kind));
  if (meant !== undefined) return { unknown: "broken", field: "kind", message: `is ${kind}; it must be ${meant}` };
  const homes = Object.keys(kinds).filter((each) => Object.hasOwn(kinds[each] ?? {}, kind));
  // Groups without a dot, and those of k8s.io, are Kubernetes' own: nobody else's kind of the same name is in them.
  const builtIn = !group.includes(".") || group.endsWith(".k8s.io");
  if (homes.length > 0 && builtIn) {
    const own = homes.map((each) => (each === "" ? "v1" : `${each}/…`)).join(" or ");
    return { unknown: "broken", field: "apiVersion", message: `is ${apiVersion}, but a ${kind} is of ${own}` };
  }
  if (!isForeignPolicy(group, kind)) return undefined;
  return { unknown: "warnings", field: "apiVersion", message: `${kind} of ${group} is not evaluated: left out` };
}

/** Staged policies of Calico are never in force. */
function isForeignPolicy(group: string, kind: string): boolean {
  return (
    (kind.endsWith("NetworkPolicy") && !kind.startsWith("Staged")) ||
    `${group} ${kind}` === "k8s.ovn.org EgressFirewall"
  );
}

/** Kinds differ by case: `networkPolicy` and `networkpolicies` are none, though people and kubectl's arguments say so. */
function isSpeltAs(kind: string, given: string): boolean {
  const [right, typed] = [kind.toLowerCase(), given.toLowerCase()];
  return [right, `${right}s`, `${right.slice(0, -1)}ies`].includes(typed);
}
