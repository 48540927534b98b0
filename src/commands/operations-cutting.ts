import type { FlowKey } from "../flows/flow-key.ts";
import type { Place } from "../flows/place.ts";
import { type Cut, nothingCut } from "../flows/spike.ts";
import { type WorkloadName, workloadOfPod } from "../flows/workload-of.ts";
import type { Pod } from "../policy/objects.ts";
import { isContaining, type Operation } from "../policy/operation.ts";
import { podsOf } from "./observe-index.ts";
import { clusterOf, type Services } from "./services.ts";
import type { MinuteOf } from "./spike-minutes.ts";

const minuteMs = 60_000;

/**
 * What quarantines and lockdowns of ours cut off in that minute: what is denied at the end that they isolate. Only of a workload all
 * of whose pods one holds: flows are counted by workload. `told`: ids of those of which something was told, which may have been
 * released since. Where the cluster cannot be asked nothing is taken for cut off. Throws where the store is away.
 */
export async function cutIn(services: Services, minute: MinuteOf, told: readonly string[]): Promise<Cut> {
  const cutting = await cuttingIn(services, minute, told);
  if (cutting.length === 0) return nothingCut;
  const inForce = new Set(cutting.map(({ id }) => id));
  try {
    const { pods } = await clusterOf(services, minute.cluster).cluster.facts(undefined, "cache");
    const held = heldBy(cutting, pods);
    return { inForce, by: (key) => operationAt(held, key) };
  } catch (error) {
    services.meter({ kind: "error", where: "spikes", message: String(error) });
    return { inForce, by: () => undefined };
  }
}

/** In any part of the minute: it is judged later, and what was released since did cut something off then. */
async function cuttingIn(
  { operations }: Services,
  { cluster, atMs }: MinuteOf,
  told: readonly string[],
): Promise<readonly Operation[]> {
  const live = (await operations.list({ live: true })).filter(({ state }) => state === "in-force");
  const known = new Set(live.map(({ id }) => id));
  const rest = await Promise.all(told.filter((id) => !known.has(id)).map((id) => operations.get(id)));
  const ended = await Promise.all(
    rest.map(async (one) => (one?.liftedBy && (await releasedAt(operations, one.liftedBy)) > atMs ? one : [])),
  );
  return [...live, ...ended.flat()].filter(
    ({ kind, target, confirmed }) =>
      isContaining(kind) && target.cluster === cluster && (confirmed?.at ?? Number.POSITIVE_INFINITY) < atMs + minuteMs,
  );
}

/** Milliseconds since the epoch; 0: nobody knows. */
async function releasedAt(operations: Services["operations"], release: string): Promise<number> {
  return (await operations.get(release))?.steps.at(-1)?.at ?? 0;
}

type Held = ReadonlyMap<string, string>;

/**
 * Workloads by their names, with the operation that holds all their pods. A pod stands for itself, too: without its labels it was
 * nobody's, even if it is back at its workload now.
 */
function heldBy(cutting: readonly Operation[], pods: readonly Pod[]): Held {
  const cut = cutting.flatMap((operation) => podsOf(operation, pods).map((pod) => ({ pod, id: operation.id })));
  const byUid = new Map(cut.map(({ pod, id }) => [pod.uid, id]));
  const workloads = Map.groupBy(
    pods.filter(({ hostNetwork }) => !hostNetwork),
    (pod) => nameOf(pod, workloadOfPod(pod)),
  );
  const whole = [...workloads].flatMap(([name, its]) => {
    const [first, ...more] = its.map(({ uid }) => byUid.get(uid));
    return first !== undefined && more.every((one) => one !== undefined) ? [[name, first] as const] : [];
  });
  return new Map([...cut.map(({ pod, id }) => [nameOf(pod, { kind: "Pod", name: pod.name }), id] as const), ...whole]);
}

/** The side on which it was denied must be one that is isolated: what is denied elsewhere somebody else denied. */
function operationAt(held: Held, { from, to, direction }: FlowKey): string | undefined {
  const at = (place: Place): string | undefined =>
    place.kind === "workload" ? held.get(`${place.namespace}/${place.of}/${place.name}`) : undefined;
  return (direction === "ingress" ? undefined : at(from)) ?? (direction === "egress" ? undefined : at(to));
}

function nameOf({ namespace }: Pod, { kind, name }: WorkloadName): string {
  return `${namespace}/${kind}/${name}`;
}
