import { letsThrough } from "../policy/exclusion.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import { type Image, lineageOf } from "../policy/revision.ts";
import { selects } from "../policy/selector.ts";
import type { UndoWrite } from "../policy/undo-plan.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import { type DeltaRow, delta } from "../simulator/delta.ts";
import type { WireObject } from "../simulator/model.ts";
import type { SimulatedPod, Snapshot } from "../simulator/snapshot.ts";
import { simulated, withAbsent } from "./change-effect.ts";
import type { ClusterView } from "./cluster-view.ts";
import { judgedBy } from "./detection.ts";
import { podsToCome, withBeginning } from "./undo-coming.ts";
import { statesThrough } from "./undo-effect.ts";
import { partsIn } from "./undo-part.ts";
import { unseen } from "./unseen.ts";

/** Pods that are cut off, or stand for those to come that will be, and by what. */
type Held = ReadonlyMap<SimulatedPod, NetworkPolicy>;

/**
 * Containment wins (invariant 13): why the writes may not be, since by one of them, or by the first few alone, something opens, or
 * may, to or from a pod that is cut off, or will be when it starts. `containing` are the policies of quarantines and lockdowns.
 */
export async function refuseContained(
  view: Pick<ClusterView, "snapshot" | "detection">,
  writes: readonly UndoWrite[],
  containing: readonly NetworkPolicy[],
  pause: () => Promise<unknown>,
): Promise<Refusal | undefined> {
  if (containing.length === 0) return undefined;
  const settings = judgedBy(view.detection);
  const there = compile(withBeginning(withThese(view.snapshot, containing), containing), settings);
  const now = withAbsent(there, writes);
  const coming = podsToCome(simulated(now, writes), now.snapshot.pods, containing);
  const snapshot = { ...now.snapshot, pods: [...now.snapshot.pods, ...coming] };
  const held = heldBy(snapshot.pods, containing);
  const said = refuseByRules(writes, held);
  if (said !== undefined || held.size === 0) return said;
  const { states, sides } = statesThrough(compile(snapshot, settings), writes);
  const part = partsIn(sides);
  const opening = (from: Simulator, to: Simulator) =>
    delta(from, to, new Map())
      .filter((row) => mayOpen(row) && isHeld(row, held))
      .flatMap((row) => writes.flatMap((write) => openedBy(write, part(write, row), held)));
  for (const [index, state] of states.entries()) {
    await pause();
    // Beside what was so right before it, which is little; then beside what was so at first.
    const isNew = opening(states[index - 1] ?? sides.before, state).length > 0;
    const [found] = isNew ? opening(sides.before, state) : [];
    if (found !== undefined) return refuse(found.write, found.pod, held);
  }
  return undefined;
}

/** They were read just now; what else is in the snapshot may be older. */
function withThese(snapshot: Snapshot, containing: readonly NetworkPolicy[]): Snapshot {
  const known = new Set(containing.map(keyOf));
  return { ...snapshot, policies: [...snapshot.policies.filter((one) => !known.has(keyOf(one))), ...containing] };
}

function keyOf({ apiVersion, kind, metadata: { namespace, name } }: WireObject): string {
  return lineageOf({ cluster: "", apiVersion, kind, namespace, name });
}

function heldBy(pods: readonly SimulatedPod[], containing: readonly NetworkPolicy[]): Held {
  const holding = (pod: SimulatedPod) =>
    containing.find(
      ({ metadata, spec }) => metadata.namespace === pod.namespace && selects(spec.podSelector, pod.labels),
    );
  return new Map(
    pods.flatMap((pod) => {
      const policy = pod.hostNetwork ? undefined : holding(pod);
      return policy === undefined ? [] : [[pod, policy] as const];
    }),
  );
}

/** A NetworkPolicy that begins to let something through to it, even where another stands in the way today. */
function refuseByRules(writes: readonly UndoWrite[], held: Held): Refusal | undefined {
  for (const write of writes) {
    const pod = [...held.keys()].find((one) => opensTo(write.to, one) && !opensTo(write.from, one));
    if (pod !== undefined) return refuse(write, pod, held);
  }
  return undefined;
}

function opensTo(image: Image | undefined, { namespace, labels }: SimulatedPod): boolean {
  if (image?.apiVersion !== "networking.k8s.io/v1" || image.metadata.namespace !== namespace) return false;
  const policy = image as NetworkPolicy;
  return selects(policy.spec.podSelector, labels) && letsThrough(policy);
}

function mayOpen({ opened, unsure }: DeltaRow): boolean {
  return opened.length + unsure.length > 0;
}

function isHeld({ from, to }: DeltaRow, held: Held): boolean {
  return [from, to].some((end) => end.kind === "pods" && end.pods.some((pod) => held.has(pod)));
}

/**
 * On the side of the pod that is cut off. Where its own side lets something through already, which its card says, what opens to it at
 * the other end is not by the containment's loss: else one that does not hold would stand in the way of every rollback.
 */
function openedBy(write: UndoWrite, actedOn: readonly SimulatedPod[], held: Held) {
  const pod = actedOn.find((one) => held.has(one));
  return pod === undefined ? [] : [{ pod, write }];
}

function refuse({ from, to }: UndoWrite, pod: SimulatedPod, held: Held): Refusal {
  const { labels = {}, name = "" } = held.get(pod)?.metadata ?? {};
  const operation = labels[marks.operation] ?? name;
  const what =
    to === undefined
      ? `without ${from === undefined ? "it" : manifestName(from)} something would get through`
      : `${manifestName(to)} would let something through`;
  return refusal(
    `${what} to or from ${podWords(pod)}, which ${operation} has cut off`,
    `Release that first: /np release ${operation}`,
  );
}

function podWords({ namespace, name, workload }: SimulatedPod): string {
  if (workload.namespace === unseen.namespace) return "a pod of a namespace where you have no right";
  return name === undefined ? `a pod of ${namespace} that is still to come` : `${namespace}/${name}`;
}
