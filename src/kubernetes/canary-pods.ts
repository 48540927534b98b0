import { fieldManagers } from "../policy/marks.ts";
import type { Labels } from "../policy/objects.ts";
import type { Connection } from "./connection.ts";
import { KubernetesError } from "./failure.ts";
import { listAll } from "./list.ts";
import type { RawObject } from "./parse.ts";
import { collectionPath, resources } from "./resources.ts";

/** A node as far as it matters to where a pod may run. */
export type NodeState = {
  readonly name: string;
  readonly labels: Labels;
  readonly ready: boolean;
  /** Somebody cordoned it. */
  readonly cordoned: boolean;
  /** Keys of taints that keep pods without tolerations away (NoSchedule, NoExecute). */
  readonly taints: readonly string[];
};

/** How a pod does that is there only to find something out. */
export type PodState = {
  readonly name: string;
  readonly uid: string;
  readonly terminating: boolean;
  /** As the kubelet reports it; `Unknown` where nobody does. */
  readonly phase: string;
  readonly ip: string | undefined;
  readonly node: string | undefined;
  /** Of its first container. */
  readonly image: string | undefined;
  /** Exit codes of the containers that have ended, init containers included, by name. */
  readonly ended: Readonly<Record<string, number>>;
  /** Why it does not run or run any more, in the words of the scheduler or the kubelet; undefined where neither says. */
  readonly trouble: { readonly reason: string; readonly message: string } | undefined;
};

/** What the canary needs beyond other commands: nodes, and throw-away pods. Calls throw KubernetesError. */
export type CanaryPods = {
  nodes(): Promise<readonly NodeState[]>;
  /** POST. A pod of that name that is there already counts as created: its name is of one run alone. */
  createPod(pod: { readonly metadata: { readonly name: string; readonly namespace: string } }): Promise<void>;
  /** labelSelector in the query syntax of the API. */
  podStates(namespace: string, labelSelector: string): Promise<readonly PodState[]>;
};

const nodes = { group: "", version: "v1", plural: "nodes" } as const;

/** A whole list, however many pages it has. */
const listWithinMs = 10_000;

export function createCanaryPods(connection: Connection): CanaryPods {
  const list = async <T>(path: string, parse: (raw: unknown) => T, labelSelector = ""): Promise<readonly T[]> =>
    (await listAll(connection, path, parse, { labelSelector, signal: AbortSignal.timeout(listWithinMs) })).items;
  return {
    nodes: () => list(collectionPath(nodes), parseNode),
    async createPod(pod) {
      try {
        await connection.request("POST", collectionPath(resources.pods, pod.metadata.namespace), {
          query: { fieldManager: fieldManagers.objects, fieldValidation: "Strict" },
          body: pod,
          repeatable: true,
        });
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.reason !== "AlreadyExists") throw error;
      }
    },
    podStates: (namespace, selector) => list(collectionPath(resources.pods, namespace), parsePodState, selector),
  };
}

type RawCondition = {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
};

type RawNode = RawObject<
  {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key?: string; readonly effect?: string }[];
  },
  { readonly conditions?: readonly RawCondition[] }
>;

function parseNode(raw: unknown): NodeState {
  const { metadata = {}, spec = {}, status = {} } = raw as RawNode;
  const keepsAway = (spec.taints ?? []).filter(({ effect }) => effect === "NoSchedule" || effect === "NoExecute");
  return {
    name: metadata.name ?? "",
    labels: metadata.labels ?? {},
    ready: (status.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True"),
    cordoned: spec.unschedulable === true,
    taints: keepsAway.map(({ key = "" }) => key),
  };
}

type RawContainerStatus = {
  readonly name?: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly exitCode?: number };
  };
};

type RawPodState = RawObject<
  { readonly nodeName?: string; readonly containers?: readonly { readonly image?: string }[] },
  {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly RawCondition[];
    readonly initContainerStatuses?: readonly RawContainerStatus[];
    readonly containerStatuses?: readonly RawContainerStatus[];
  }
>;

function parsePodState(raw: unknown): PodState {
  const { metadata = {}, spec = {}, status = {} } = raw as RawPodState;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const ended = containers.flatMap(({ name = "", state }) =>
    state?.terminated?.exitCode === undefined ? [] : [[name, state.terminated.exitCode] as const],
  );
  return {
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    terminating: metadata.deletionTimestamp !== undefined,
    phase: status.phase ?? "Unknown",
    ip: status.podIP,
    node: spec.nodeName,
    image: spec.containers?.[0]?.image,
    ended: Object.fromEntries(ended),
    trouble: troubleOf(status, containers),
  };
}

/** Whatever says most: the pod as a whole (Evicted, DeadlineExceeded), a container (ErrImagePull), the scheduler. */
function troubleOf(
  { reason, message, conditions = [] }: NonNullable<RawPodState["status"]>,
  containers: readonly RawContainerStatus[],
): PodState["trouble"] {
  const waiting = containers.map(({ state }) => state?.waiting).find((one) => isTrouble(one?.reason));
  const unscheduled = conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
  const told = reason === undefined ? (waiting ?? unscheduled) : { reason, message };
  return told === undefined ? undefined : { reason: told.reason ?? "", message: told.message ?? "" };
}

/** These two are the way that every container goes. */
function isTrouble(reason: string | undefined): boolean {
  return reason !== undefined && reason !== "PodInitializing" && reason !== "ContainerCreating";
}
