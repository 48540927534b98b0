import { families } from "./addresses.ts";
import type { Looks } from "./classes.ts";
import { assemble, compile, looksOf, type Parts, policiesOf, type Simulator } from "./compile.ts";
import { bindPolicy } from "./layers.ts";
import type { WireObject } from "./model.ts";
import type { SimulatedPod, Snapshot } from "./snapshot.ts";
import { translate } from "./translate.ts";

/** What a plan does to a snapshot. Objects are those of the snapshot itself, not copies. */
export type Change = {
  readonly removed?: readonly WireObject[];
  readonly added?: readonly WireObject[];
  /** Pods whose labels change; undefined: the pod goes. */
  readonly pods?: ChangedPods;
};

type ChangedPods = ReadonlyMap<SimulatedPod, SimulatedPod | undefined>;

/**
 * The same cluster after the change. What the change leaves alone is shared with the simulator before, so that it takes a
 * small part of the time of `compile`, and `delta` sees at once which pods are concerned.
 */
export function change(before: Simulator, { removed = [], added = [], pods = new Map() }: Change): Simulator {
  const gone = new Set(removed);
  const snapshot: Snapshot = {
    ...before.snapshot,
    policies: [...before.snapshot.policies.filter((object) => !gone.has(object)), ...added],
    pods: before.snapshot.pods.flatMap((pod) => changedPod(pod, pods) ?? []),
  };
  const translations = translate(snapshot, before.settings, before.parts.translations);
  const policies = policiesOf(translations);
  const looks = lookFurther(before, looksOf(policies, before.settings), pods);
  if (looks === undefined) return compile(snapshot, before.settings);
  const { register, columns, layers, bound: known } = before.parts;
  const bound = new Map(policies.map((policy) => [policy, known.get(policy) ?? bindPolicy(policy, columns)]));
  const parts: Parts = { looks, register, columns, translations, bound, layers };
  return assemble({ snapshot, settings: before.settings, classOf: enrolChanged(before, pods, looks), parts });
}

function changedPod(pod: SimulatedPod, pods: ChangedPods): SimulatedPod | undefined {
  return pods.has(pod) ? pods.get(pod) : pod;
}

/** What is looked at from now on; undefined where that tells pods apart that are of one class. */
function lookFurther({ parts, snapshot }: Simulator, wanted: Looks, pods: ChangedPods): Looks | undefined {
  const { looks } = parts;
  const labels = [...wanted.labels].filter((key) => !looks.labels.has(key));
  const split = snapshot.pods.some((pod) => !pods.has(pod) && labels.some((key) => Object.hasOwn(pod.labels, key)));
  const samePorts = [...wanted.ports].every((name) => looks.ports.has(name));
  const sameCuts = families.every((family) => {
    const cuts = new Set(looks.cuts[family]);
    return wanted.cuts[family].every((cut) => cuts.has(cut));
  });
  return split || !samePorts || !sameCuts ? undefined : { ...looks, labels: new Set([...looks.labels, ...labels]) };
}

function enrolChanged({ classOf, parts }: Simulator, pods: ChangedPods, looks: Looks): Simulator["classOf"] {
  const changed = new Map(classOf);
  for (const [pod, after] of pods) {
    changed.delete(pod);
    const podClass = after && parts.register.enrol(after, looks);
    if (after !== undefined && podClass !== undefined) changed.set(after, podClass);
  }
  return changed;
}
