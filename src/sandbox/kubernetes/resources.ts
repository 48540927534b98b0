import { at, listAt, objectAt, textAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";

/** One served resource: a path segment and what lies behind it. */
export type Resource = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly subresources: readonly string[];
  /** Where objects of it are stored: two groups share the events. */
  readonly storage: string;
  /** `review`: POST answers and stores nothing. */
  readonly type: "stored" | "review";
  /** Whether metadata.generation counts changes of the spec. */
  readonly generations: boolean;
  readonly custom: boolean;
};

export type Resources = {
  /** By group, version and plural, as in a path. */
  find(group: string, version: string, plural: string): Resource | undefined;
  /** By apiVersion and kind, as in a body. */
  ofKind(apiVersion: string, kind: string): Resource | undefined;
  /** Any version that is kept in this storage. */
  ofStorage(storage: string): Resource | undefined;
  all(): readonly Resource[];
  /** Serves what a CustomResourceDefinition describes, in every version that it serves. */
  define(definition: KubeObject): void;
  /** Stops serving it; its storages, whose objects go too. */
  undefine(definition: KubeObject): readonly string[];
};

type Flags = { cluster?: true; short?: string; sub?: readonly string[]; generations?: true; review?: true };

const builtIn: readonly (readonly [groupVersion: string, plural: string, kind: string, flags: Flags])[] = [
  ["v1", "namespaces", "Namespace", { cluster: true, short: "ns", sub: ["status", "finalize"] }],
  ["v1", "nodes", "Node", { cluster: true, short: "no", sub: ["status"] }],
  ["v1", "pods", "Pod", { short: "po", sub: ["status", "ephemeralcontainers"] }],
  ["v1", "services", "Service", { short: "svc", sub: ["status"] }],
  ["v1", "endpoints", "Endpoints", { short: "ep" }],
  ["v1", "configmaps", "ConfigMap", { short: "cm" }],
  ["v1", "secrets", "Secret", {}],
  ["v1", "events", "Event", { short: "ev" }],
  ["v1", "serviceaccounts", "ServiceAccount", { short: "sa" }],
  ["v1", "replicationcontrollers", "ReplicationController", { short: "rc", sub: ["status"], generations: true }],
  ["apps/v1", "deployments", "Deployment", { short: "deploy", sub: ["status"], generations: true }],
  ["apps/v1", "replicasets", "ReplicaSet", { short: "rs", sub: ["status"], generations: true }],
  ["apps/v1", "statefulsets", "StatefulSet", { short: "sts", sub: ["status"], generations: true }],
  ["apps/v1", "daemonsets", "DaemonSet", { short: "ds", sub: ["status"], generations: true }],
  ["batch/v1", "jobs", "Job", { sub: ["status"], generations: true }],
  ["networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", { short: "netpol", generations: true }],
  ["discovery.k8s.io/v1", "endpointslices", "EndpointSlice", { generations: true }],
  ["events.k8s.io/v1", "events", "Event", { short: "ev" }],
  ["coordination.k8s.io/v1", "leases", "Lease", {}],
  ["policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", { short: "pdb", sub: ["status"], generations: true }],
  ["rbac.authorization.k8s.io/v1", "roles", "Role", {}],
  ["rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", {}],
  ["rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", { cluster: true }],
  ["rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", { cluster: true }],
  [
    "apiextensions.k8s.io/v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    { cluster: true, short: "crd", sub: ["status"], generations: true },
  ],
  ["authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", { cluster: true, review: true }],
  ["authorization.k8s.io/v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", { cluster: true, review: true }],
  ["authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview", { cluster: true, review: true }],
];

/** The served resources: the built-in ones, and what CustomResourceDefinitions add. */
export function createResources(): Resources {
  const served = new Map<string, Resource>();
  for (const [groupVersion, plural, kind, flags] of builtIn) serve(served, describe(groupVersion, plural, kind, flags));
  const all = (): Resource[] => [...served.values()];
  return {
    find: (group, version, plural) => served.get(`${group}/${version}/${plural}`),
    ofKind: (apiVersion, kind) => all().find((each) => groupVersion(each) === apiVersion && each.kind === kind),
    ofStorage: (storage) => all().find((each) => each.storage === storage),
    all,
    define: (definition) => {
      for (const resource of customResources(definition)) serve(served, resource);
    },
    undefine: (definition) => {
      const gone = customResources(definition);
      for (const { group, version, plural } of gone) served.delete(`${group}/${version}/${plural}`);
      return [...new Set(gone.map(({ storage }) => storage))];
    },
  };
}

/** `v1`, `apps/v1`: apiVersion as objects bear it. */
export function groupVersion({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

function serve(served: Map<string, Resource>, resource: Resource): void {
  served.set(`${resource.group}/${resource.version}/${resource.plural}`, resource);
}

function describe(apiVersion: string, plural: string, kind: string, flags: Flags): Resource {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  return {
    group: group ?? "",
    version: version ?? "",
    plural,
    kind,
    namespaced: flags.cluster !== true,
    shortNames: flags.short === undefined ? [] : [flags.short],
    subresources: flags.sub ?? [],
    storage: plural === "events" ? "events" : `${group}/${plural}`,
    type: flags.review === true ? "review" : "stored",
    generations: flags.generations === true,
    custom: false,
  };
}

function customResources(definition: KubeObject): Resource[] {
  const names = objectAt(definition, "spec", "names");
  const group = textAt(definition, "spec", "group") ?? "";
  const plural = textAt(names, "plural") ?? "";
  return listAt(definition, "spec", "versions")
    .filter((version) => at(version, "served") !== false)
    .map((version) => ({
      group,
      version: textAt(version, "name") ?? "",
      plural,
      kind: textAt(names, "kind") ?? "",
      namespaced: textAt(definition, "spec", "scope") === "Namespaced",
      shortNames: listAt(names, "shortNames").filter((name) => typeof name === "string"),
      subresources: at(version, "subresources", "status") === undefined ? [] : ["status"],
      storage: `${group}/${plural}`,
      type: "stored",
      generations: true,
      custom: true,
    }));
}
