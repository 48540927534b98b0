import type {
  JsonPatchOperation,
  Namespace,
  NetworkPolicy,
  ObjectVersion,
  Pod,
  Service,
  Workload,
} from "../policy/objects.ts";

/** Everything in one namespace that a decision about a pod looks at, from one moment as near as lists allow. */
export type NamespaceFacts = {
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  readonly policies: readonly NetworkPolicy[];
  /** How old this may be: 0 for direct lists, else the time since the watch cache was last known to be current. */
  readonly ageMs: number;
};

/** What a write came to. Conflicts and absences are values; a refusal by the server's rules (403, 422) throws. */
export type Created = { readonly kind: "created" | "exists"; readonly object: NetworkPolicy };
export type Patched = { readonly kind: "patched"; readonly pod: Pod } | { readonly kind: "gone" | "conflict" };
export type Deleted = { readonly kind: "deleted" | "gone" | "conflict" };

/** Whether the API server lets this identity do it, and its reason where it says one. */
export type Permission = { readonly allowed: boolean; readonly reason: string };

/**
 * One Kubernetes cluster. Reads named `get…`/`list…` go to the API server; `facts` and the name look-ups may come from
 * the watch cache where that is current. Every call ends in time: it throws KubernetesError, or TypeError/AbortError
 * of the transport wrapped in one.
 */
export type Cluster = {
  /** The name that configuration gives it. */
  readonly name: string;
  getPod(namespace: string, name: string): Promise<Pod | undefined>;
  /** labelSelector in the query syntax of the API. */
  listPods(namespace: string, labelSelector: string): Promise<readonly Pod[]>;
  getPolicy(namespace: string, name: string): Promise<NetworkPolicy | undefined>;
  /** Over all namespaces. */
  listPolicies(labelSelector: string): Promise<readonly NetworkPolicy[]>;
  namespaces(): Promise<readonly Namespace[]>;
  /** `fresh` lists from the API server whatever the cache says. */
  facts(namespace: string, from: "cache" | "fresh"): Promise<NamespaceFacts>;
  /** SelfSubjectAccessReview. */
  mayI(verb: string, resource: { group: string; plural: string }, namespace: string): Promise<Permission>;
  /** POST; `exists` carries the object of that name that is there already. */
  createPolicy(policy: NetworkPolicy): Promise<Created>;
  /** DELETE with uid and resourceVersion as preconditions. */
  deletePolicy(namespace: string, name: string, version: ObjectVersion): Promise<Deleted>;
  /** JSON Patch; a failed `test` is `conflict`. */
  patchPod(namespace: string, name: string, patch: readonly JsonPatchOperation[]): Promise<Patched>;
  /** DELETE with the uid as precondition. */
  deletePod(namespace: string, name: string, uid: string): Promise<Deleted>;
  /** Ends watches and connections. */
  close(): Promise<void>;
};
