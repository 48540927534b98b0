import { type Refusal, refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { End, Opening } from "../policy/openings.ts";
import { mayMeet, selects } from "../policy/selector.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";

/**
 * Why an end may not be opened: its pods are cut off by a workload's quarantine or by a lockdown (invariant 13). A pod in a
 * quarantine of its own bears our label, which every allowance leaves out.
 */
export function containedEnds(
  openings: readonly Opening[],
  policies: readonly NetworkPolicy[],
  pods: readonly SimulatedPod[],
): Refusal | undefined {
  const ends = openings.flatMap(({ from, to }) => [from, to]);
  for (const policy of policies.filter(isContaining)) {
    const end = ends.find((one) => holdsAny(one, policy, pods));
    if (end?.kind === "pods") return refuse(end.name, policy);
  }
  return undefined;
}

/** The NetworkPolicy is always written, whatever the engine, and selects all that is cut off. */
function isContaining({ metadata: { labels = {} } }: NetworkPolicy): boolean {
  const is = labels[marks.kind];
  return is === "quarantine" || is === "lockdown";
}

/** Pods that start later are cut off and opened as those that there are: where there are none the selectors decide. */
function holdsAny(end: End, { metadata, spec }: NetworkPolicy, pods: readonly SimulatedPod[]): boolean {
  if (end.kind !== "pods" || end.namespace !== metadata.namespace) return false;
  const { podSelector = {} } = spec;
  const members = membersOf(end, pods);
  const isHeld = ({ namespace, labels }: SimulatedPod) =>
    namespace === metadata.namespace && selects(podSelector, labels);
  if (members.some(isHeld)) return true;
  const isEmpty = members.length === 0 || !pods.some(isHeld);
  return isEmpty && mayMeet(podSelector, end.selector);
}

/** Pods that an allowance would open at this end: none that bears a quarantine's label. */
export function membersOf(end: End, pods: readonly SimulatedPod[]): readonly SimulatedPod[] {
  if (end.kind !== "pods") return [];
  return pods.filter(
    ({ namespace, labels, hostNetwork }) =>
      namespace === end.namespace &&
      !hostNetwork &&
      labels[marks.quarantine] === undefined &&
      selects(end.selector, labels),
  );
}

/** Ends of which there is nothing to simulate, a sentence for each. */
export function withoutPods(openings: readonly Opening[], pods: readonly SimulatedPod[]): readonly string[] {
  const ends = openings.flatMap(({ from, to }) => [from, to]);
  const names = ends.flatMap((end) => (end.kind === "pods" && membersOf(end, pods).length === 0 ? [end.name] : []));
  return [...new Set(names)].map((name) => `There is no pod of ${name} now, so what opens for it was not simulated.`);
}

function refuse(name: string, { metadata: { labels = {} } }: NetworkPolicy): Refusal {
  const id = labels[marks.operation] ?? "?";
  return refusal(
    `the pods of ${name} are cut off by ${labels[marks.kind]} ${id}, and what is cut off is not opened`,
    `End that first, if it is over: /np release ${id}`,
  );
}
