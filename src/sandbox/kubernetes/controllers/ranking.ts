import { at, listAt, numberAt, textAt } from "../json.ts";
import type { KubeObject } from "../objects.ts";

/**
 * The pods in the order in which a ReplicaSet with too many deletes them (controller.ActivePodsWithRanks): without a
 * node, not running, not ready, lower `pod-deletion-cost`, more siblings on the same node, ready for a shorter time,
 * more restarts, younger. Times are compared by powers of two, as since 1.22; within one, the uid decides.
 */
export function inDeletionOrder(
  pods: readonly KubeObject[],
  siblings: readonly KubeObject[],
  now: number,
): KubeObject[] {
  const perNode = new Map<string, number>();
  for (const pod of siblings) perNode.set(nodeOf(pod), (perNode.get(nodeOf(pod)) ?? 0) + 1);
  const ranks = pods.map((pod) => ({
    pod,
    numbers: [
      nodeOf(pod) === "" ? 0 : 1,
      phaseRank(pod),
      readySince(pod) === undefined ? 0 : 1,
      deletionCost(pod),
      -(perNode.get(nodeOf(pod)) ?? 0),
    ],
    times: [readySince(pod) ?? 0, Date.parse(pod.metadata.creationTimestamp)] as const,
    restarts: restartsOf(pod),
  }));
  type Rank = (typeof ranks)[number];
  const compare = (one: Rank, other: Rank): number => {
    const index = one.numbers.findIndex((number, each) => number !== other.numbers[each]);
    if (index >= 0) return (one.numbers[index] ?? 0) - (other.numbers[index] ?? 0);
    return (
      compareAges(one.times[0], other.times[0], now, one.pod, other.pod) ||
      other.restarts - one.restarts ||
      compareAges(one.times[1], other.times[1], now, one.pod, other.pod)
    );
  };
  return ranks.sort(compare).map(({ pod }) => pod);
}

/** When condition Ready became True (ms since the epoch); undefined where it is not. */
export function readySince(pod: KubeObject): number | undefined {
  const ready = listAt(pod, "status", "conditions").find((condition) => at(condition, "type") === "Ready");
  if (at(ready, "status") !== "True") return undefined;
  return Date.parse(textAt(ready, "lastTransitionTime") ?? pod.metadata.creationTimestamp);
}

function nodeOf(pod: KubeObject): string {
  return textAt(pod, "spec", "nodeName") ?? "";
}

function phaseRank(pod: KubeObject): number {
  return ["Pending", "Unknown", "Running"].indexOf(textAt(pod, "status", "phase") ?? "Pending");
}

function deletionCost(pod: KubeObject): number {
  const text = pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? "0";
  // What is no int32 counts as 0; the server refuses such annotations nowhere.
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function restartsOf(pod: KubeObject): number {
  const counts = listAt(pod, "status", "containerStatuses").map((status) => numberAt(status, "restartCount") ?? 0);
  return Math.max(0, ...counts);
}

function compareAges(one: number, other: number, now: number, ...[first, second]: [KubeObject, KubeObject]): number {
  if (one === other) return 0;
  const difference = ageRank(now - one) - ageRank(now - other);
  return difference === 0 ? (first.metadata.uid < second.metadata.uid ? -1 : 1) : difference;
}

/** floor(log2) of the age in nanoseconds. */
function ageRank(ageMs: number): number {
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * 1e6));
}
