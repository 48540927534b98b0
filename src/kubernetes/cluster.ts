import type {
  JsonPatchOperation,
  Namespace,
  NetworkPolicy,
  ObjectVersion,
  Pod,
  Service,
  Workload,
} from "../policy/objects.ts";
import type { Connection } from "./connection.ts";
import { listFacts } from "./facts.ts";
import { listAll } from "./list.ts";
import { parseNamespace, parsePod, parsePolicy } from "./parse.ts";
import { reviewAccess } from "./permission.ts";
import { collectionPath, objectPath, resources } from "./resources.ts";
import { createPolicy, deleteObject, getObject, getPolicy, patchPod } from "./writes.ts";

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

export type ClusterOptions = { readonly now: () => number };

/** Rejects with KubernetesError of kind `credentials` where the kubeconfig cannot be used; nothing is asked yet. */
export async function createCluster(name: string, connection: Connection, options: ClusterOptions): Promise<Cluster> {
  await connection.credentials();
  void options;
  return {
    name,
    async getPod(namespace, pod) {
      const raw = await getObject(connection, resources.pods, namespace, pod);
      return raw === undefined ? undefined : parsePod(raw);
    },
    async listPods(namespace, labelSelector) {
      return (await listAll(connection, collectionPath(resources.pods, namespace), parsePod, { labelSelector })).items;
    },
    getPolicy: (namespace, policy) => getPolicy(connection, namespace, policy),
    async listPolicies(labelSelector) {
      return (await listAll(connection, collectionPath(resources.policies), parsePolicy, { labelSelector })).items;
    },
    async namespaces() {
      return (await listAll(connection, collectionPath(resources.namespaces), parseNamespace)).items;
    },
    facts: (namespace) => listFacts(connection, namespace),
    mayI: (verb, { group, plural }, namespace) => reviewAccess(connection, { verb, group, plural, namespace }),
    createPolicy: (policy) => createPolicy(connection, policy),
    deletePolicy: (namespace, policy, { uid, resourceVersion }) =>
      deleteObject(connection, objectPath(resources.policies, namespace, policy), policy, { uid, resourceVersion }),
    patchPod: (namespace, pod, patch) => patchPod(connection, namespace, pod, patch),
    deletePod: (namespace, pod, uid) =>
      deleteObject(connection, objectPath(resources.pods, namespace, pod), pod, { uid }),
    close: () => connection.close(),
  };
}
