import type { EngineEvidence } from "../policy/evidence.ts";
import type { Manifest, ManifestReference } from "../policy/manifest.ts";
import { fieldManagers } from "../policy/marks.ts";
import type {
  JsonPatchOperation,
  LabelSelector,
  Namespace,
  NetworkPolicy,
  ObjectVersion,
  Pod,
  Service,
  Workload,
} from "../policy/objects.ts";
import type { PolicyKey, RawPolicy } from "../policy/revision.ts";
import { type AnyPolicy, createAnyPolicy } from "./any-policy.ts";
import { createCache } from "./cache.ts";
import { type CanaryPods, createCanaryPods } from "./canary-pods.ts";
import type { Connection } from "./connection.ts";
import { createEngineEvidence } from "./engine-evidence.ts";
import type { KubernetesError } from "./failure.ts";
import { parsePolicy } from "./parse.ts";
import { patchObject, patchPod } from "./patch.ts";
import type { PolicyFollower } from "./policy-kind-watch.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import { type FollowedKind, type PolicyWatch, watchPolicies } from "./policy-watch.ts";
import { createReads } from "./reads.ts";
import { objectPath, resources } from "./resources.ts";
import type { ServerTime } from "./server-time.ts";
import { signedWrites } from "./signed-writes.ts";
import type { Change } from "./store.ts";
import type { Surroundings } from "./surroundings.ts";
import type { WatchState } from "./watch-progress.ts";
import { createObject, deleteManifest, deleteObject } from "./writes.ts";

/**
 * Where facts may come from. `fresh`: lists from the API server. `recent`: the cache where the server confirmed it
 * within the last few seconds, else fresh lists; for whatever is written upon. `cache`: the cache where that is current
 * (30 s), else fresh lists, and where the server cannot be asked the cache as it was, which then says so; for showing.
 */
export type Freshness = "cache" | "recent" | "fresh";

/** How old what was read may be: 0 for direct lists, else the time since the watch cache was last known to be current. */
export type Age = {
  readonly ageMs: number;
  /** Why the server could not be asked, where this is what was known before that. */
  readonly unanswered?: KubernetesError;
};

/** Everything in a namespace that a decision about a pod looks at, from one moment as near as lists allow. */
export type NamespaceFacts = Age & {
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  readonly policies: readonly NetworkPolicy[];
};

/** What a write came to. Conflicts and absences are values; a refusal by the server's rules (403, 422) throws. */
export type Created = { readonly kind: "created" | "exists"; readonly object: Manifest };
export type Patched = { readonly kind: "patched"; readonly pod: Pod } | { readonly kind: "gone" | "conflict" };
export type PatchedPolicy =
  | { readonly kind: "patched"; readonly policy: NetworkPolicy }
  | { readonly kind: "gone" | "conflict" };
export type Deleted = {
  readonly kind: "deleted" | "gone" | "conflict";
  /** Not the first attempt was answered so: an earlier one, whose answer was lost, may have deleted it. */
  readonly isRetried?: true;
};

/** Whether the API server lets this identity do it, and its reason where it says one. */
export type Permission = { readonly allowed: boolean; readonly reason: string };

export type PodListener = (change: Change<Pod>) => void;
export type PolicyListener = (change: Change<NetworkPolicy>) => void;

/**
 * One Kubernetes cluster. Reads named `get…`/`list…` go to the API server; the others may come from the watch cache.
 * Every call ends in time (createPatience; a list of several pages within 10 s), or throws KubernetesError.
 */
export type Cluster = {
  /** The name that configuration gives it. */
  readonly name: string;
  getPod(namespace: string, name: string): Promise<Pod | undefined>;
  /** labelSelector in the query syntax of the API. */
  listPods(namespace: string, labelSelector: string): Promise<readonly Pod[]>;
  /** The object as it is stored; undefined also where its API is not served. */
  getObject(reference: ManifestReference): Promise<Manifest | undefined>;
  /** In one namespace, or over all where none is given. */
  listPolicies(labelSelector: string, namespace?: string): Promise<readonly NetworkPolicy[]>;
  /**
   * Over all namespaces, those that the selector selects, from the API server; else as the cache last knew them. The server
   * gets `withinMs` to answer (default 10 000).
   */
  knownPolicies(
    selector: LabelSelector,
    withinMs?: number,
  ): Promise<Age & { readonly items: readonly NetworkPolicy[] }>;
  /**
   * Every allowance of ours, over all namespaces, from the API server within 10 s. By name (knownAllowance): a label
   * selector would miss one whose labels somebody took off.
   */
  listAllowances(): Promise<readonly Manifest[]>;
  /**
   * Bounds of the API server's clock now, by its last answers and a monotonic clock; undefined where it has not told its
   * time within two minutes. Of several servers whose clocks differ: the slowest and the fastest.
   */
  serverTime(): ServerTime | undefined;
  namespaces(): Promise<readonly Namespace[]>;
  /** The uid of namespace kube-system, which no other cluster has. Undefined where it cannot be read. Never rejects. */
  identity(): Promise<string | undefined>;
  /** Of one namespace, or of all where none is given. */
  facts(namespace: string | undefined, from: Freshness): Promise<NamespaceFacts>;
  /** What decides over traffic beside NetworkPolicy, from the API server. Never rejects: what could not be read is named. */
  policyObjects(): Promise<PolicyObjects>;
  /** What a plan about these pods says beside policies, from the API server within 3 s. Never rejects. */
  surroundings(namespace: string, pods: readonly string[]): Promise<Surroundings>;
  /** What tells which policy engines are enforced, at most a minute old unless `fresh`. Never rejects: what could not be read says so. */
  engineEvidence(from: Freshness): Promise<EngineEvidence>;
  /** SelfSubjectAccessReview. */
  mayI(verb: string, resource: { group: string; plural: string }, namespace: string): Promise<Permission>;
  /** POST; `exists` carries the object of that name that is there already. Of the kinds that Bulkhead writes. */
  createObject(object: Manifest): Promise<Created>;
  /** DELETE with uid and resourceVersion as preconditions. */
  deleteObject(reference: ManifestReference, version: ObjectVersion): Promise<Deleted>;
  /** JSON Patch of a NetworkPolicy; a failed `test` is `conflict`. `operation`: whose change of somebody else's policy it is. */
  patchPolicy(
    namespace: string,
    name: string,
    patch: readonly JsonPatchOperation[],
    operation?: string,
  ): Promise<PatchedPolicy>;
  /** JSON Patch; a failed `test` is `conflict`. */
  patchPod(namespace: string, name: string, patch: readonly JsonPatchOperation[]): Promise<Patched>;
  /** DELETE with the uid as precondition. */
  deletePod(namespace: string, name: string, uid: string): Promise<Deleted>;
  /** For rollbacks: reads and writes policies of any API, raw and with dry runs. */
  readonly anyPolicy: AnyPolicy;
  /** For verify-enforcement alone. */
  readonly canary: CanaryPods;
  /** How each watch of the cache stands; empty where there is no cache. The cache is complete when all are synced. */
  watches(): readonly WatchState[];
  /** Calls the listener with every change of a pod that the cache sees; the answer ends that. Never without a cache. */
  onPodChange(listener: PodListener): () => void;
  /** The same with every change of a NetworkPolicy. */
  onPolicyChange(listener: PolicyListener): () => void;
  /**
   * Every policy of every served API, in raw form: all that is known, and then all that is seen; the answer ends that. The
   * first call begins to watch, over a connection for each kind. Never without a cache.
   */
  followPolicies(follower: PolicyFollower): () => void;
  /** The kinds that `followPolicies` follows, and how far each is; empty before its first call. */
  followedPolicies(): readonly FollowedKind[];
  /** The newest raw form of a policy that `followPolicies` knows. */
  currentPolicy(key: Omit<PolicyKey, "cluster">): RawPolicy | undefined;
  /** Ends watches and connections. */
  close(): Promise<void>;
};

export type ClusterOptions = {
  readonly now: () => number;
  /** Whether to keep a cache by watching every namespace; a terminal's one command does not. */
  readonly watch: boolean;
  /** Told of every failure of a watch, which goes on by itself. Default: nobody. */
  readonly onProblem?: (error: unknown, path: string) => void;
  /** Told of each object that an operation of ours created, patched or deleted here, at once. Default: nobody. */
  readonly onWritten?: (written: WrittenObject) => void;
};

/** What a write made: that version of that object, or with `deleted` its end. */
export type WrittenObject = {
  readonly cluster: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly operation: string;
};

/** Rejects with KubernetesError of kind `credentials` where the kubeconfig cannot be used; asks the server nothing yet. */
export async function createCluster(name: string, connection: Connection, options: ClusterOptions): Promise<Cluster> {
  await connection.credentials();
  return openCluster(name, connection, options);
}

/** The same without looking at the kubeconfig: where it cannot be used, every call says so, and so do the watches. */
export function openCluster(name: string, connection: Connection, options: ClusterOptions): Cluster {
  const pods = createListeners<Pod>();
  const policies = createListeners<NetworkPolicy>();
  const { now, onProblem = () => {} } = options;
  const cache = options.watch
    ? createCache(connection, { now, onPodChange: pods.tell, onPolicyChange: policies.tell, onProblem })
    : undefined;
  let watch: PolicyWatch | undefined;
  const followed = (): PolicyWatch | undefined => {
    if (options.watch) watch ??= watchPolicies(connection, { cluster: name, now, onProblem });
    return watch;
  };
  return {
    name,
    ...createReads(connection, cache),
    identity: () => identityOf(connection),
    engineEvidence: createEngineEvidence(connection, now),
    ...signedWrites(createWrites(connection), (written) => options.onWritten?.({ cluster: name, ...written })),
    anyPolicy: createAnyPolicy(connection),
    canary: createCanaryPods(connection),
    watches: () => cache?.states() ?? [],
    serverTime: () => connection.serverTime(),
    onPodChange: pods.add,
    onPolicyChange: policies.add,
    followPolicies: (follower) => followed()?.follow(follower) ?? (() => {}),
    followedPolicies: () => watch?.kinds() ?? [],
    currentPolicy: (key) => watch?.current(key),
    async close() {
      await Promise.all([cache?.close(), watch?.close()]);
      await connection.close();
    },
  };
}

async function identityOf(connection: Connection): Promise<string | undefined> {
  const path = objectPath(resources.namespaces, undefined, "kube-system");
  const raw = await connection.request("GET", path).catch(() => undefined);
  return (raw as { readonly metadata?: { readonly uid?: string } } | undefined)?.metadata?.uid;
}

type Listener<T> = (change: Change<T>) => void;

function createListeners<T>(): {
  readonly tell: Listener<T>;
  readonly add: (listener: Listener<T>) => () => void;
} {
  const listeners = new Set<Listener<T>>();
  return {
    tell: (change) => {
      for (const listener of listeners) listener(change);
    },
    add: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

type Writes = Pick<Cluster, "patchPolicy" | "createObject" | "deleteObject" | "patchPod" | "deletePod">;

function createWrites(connection: Connection): Writes {
  return {
    createObject: (object) => createObject(connection, object),
    deleteObject: (reference, { uid, resourceVersion }) =>
      deleteManifest(connection, reference, { uid, resourceVersion }),
    patchPolicy: async (namespace, name, patch) => {
      const target = { resource: resources.policies, namespace, name, fieldManager: fieldManagers.objects };
      const answer = await patchObject(connection, target, patch);
      return answer.kind === "patched" ? { kind: "patched", policy: parsePolicy(answer.raw) } : answer;
    },
    patchPod: (namespace, name, patch) => patchPod(connection, { namespace, name }, patch),
    deletePod: (namespace, name, uid) => deleteObject(connection, resources.pods, { namespace, name }, { uid }),
  };
}
