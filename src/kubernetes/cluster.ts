import type {
  JsonPatchOperation,
  Namespace,
  NetworkPolicy,
  ObjectVersion,
  Pod,
  Service,
  Workload,
} from "../policy/objects.ts";
import { type ClusterCache, createCache } from "./cache.ts";
import type { Connection } from "./connection.ts";
import { listFacts } from "./facts.ts";
import { listAll } from "./list.ts";
import { parseNamespace, parsePod, parsePolicy } from "./parse.ts";
import { patchPod } from "./patch.ts";
import { reviewAccess } from "./permission.ts";
import { collectionPath, resources } from "./resources.ts";
import type { Change } from "./store.ts";
import type { WatchState } from "./watch-progress.ts";
import { createPolicy, deleteObject, getObject, getPolicy } from "./writes.ts";

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

export type PodListener = (change: Change<Pod>) => void;

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
  /** In one namespace, or over all where none is given. */
  listPolicies(labelSelector: string, namespace?: string): Promise<readonly NetworkPolicy[]>;
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
  /** How each watch of the cache stands; empty where there is no cache. The cache is complete when all are synced. */
  watches(): readonly WatchState[];
  /** Calls the listener with every change of a pod that the cache sees; the answer ends that. Never without a cache. */
  onPodChange(listener: PodListener): () => void;
  /** Ends watches and connections. */
  close(): Promise<void>;
};

export type ClusterOptions = {
  readonly now: () => number;
  /** Whether to keep a cache by watching every namespace; a terminal's one command does not. */
  readonly watch: boolean;
  /** Told of every failure of a watch, which goes on by itself. Default: nobody. */
  readonly onProblem?: (error: unknown, path: string) => void;
};

/** Rejects with KubernetesError of kind `credentials` where the kubeconfig cannot be used; asks the server nothing yet. */
export async function createCluster(name: string, connection: Connection, options: ClusterOptions): Promise<Cluster> {
  await connection.credentials();
  const listeners = new Set<PodListener>();
  const onPodChange: PodListener = (change) => {
    for (const listener of listeners) listener(change);
  };
  const { now, onProblem = () => {} } = options;
  const cache = options.watch ? createCache(connection, { now, onPodChange, onProblem }) : undefined;
  return {
    name,
    ...createReads(connection, cache),
    ...createWrites(connection),
    watches: () => cache?.states() ?? [],
    onPodChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      await cache?.close();
      await connection.close();
    },
  };
}

type Reads = "getPod" | "listPods" | "getPolicy" | "listPolicies" | "namespaces" | "facts" | "mayI";

function createReads(connection: Connection, cache: ClusterCache | undefined): Pick<Cluster, Reads> {
  const list = async <T>(path: string, parse: (raw: unknown) => T, labelSelector = ""): Promise<readonly T[]> =>
    (await listAll(connection, path, parse, { labelSelector })).items;
  return {
    async getPod(namespace, name) {
      const raw = await getObject(connection, resources.pods, namespace, name);
      return raw === undefined ? undefined : parsePod(raw);
    },
    listPods: (namespace, selector) => list(collectionPath(resources.pods, namespace), parsePod, selector),
    getPolicy: (namespace, name) => getPolicy(connection, namespace, name),
    listPolicies: (selector, namespace) => list(collectionPath(resources.policies, namespace), parsePolicy, selector),
    namespaces: async () => cache?.namespaces() ?? (await list(collectionPath(resources.namespaces), parseNamespace)),
    async facts(namespace, from) {
      const cached = from === "cache" ? cache?.facts(namespace) : undefined;
      return cached ?? (await listFacts(connection, namespace));
    },
    mayI: (verb, { group, plural }, namespace) => reviewAccess(connection, { verb, group, plural, namespace }),
  };
}

type Writes = "createPolicy" | "deletePolicy" | "patchPod" | "deletePod";

function createWrites(connection: Connection): Pick<Cluster, Writes> {
  return {
    createPolicy: (policy) => createPolicy(connection, policy),
    deletePolicy: (namespace, name, { uid, resourceVersion }) =>
      deleteObject(connection, resources.policies, { namespace, name }, { uid, resourceVersion }),
    patchPod: (namespace, name, patch) => patchPod(connection, { namespace, name }, patch),
    deletePod: (namespace, name, uid) => deleteObject(connection, resources.pods, { namespace, name }, { uid }),
  };
}
