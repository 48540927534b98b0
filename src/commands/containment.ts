import type { Denial } from "../engines/denial.ts";
import { deniesOf } from "../engines/engines.ts";
import { denyByNetworkPolicy } from "../engines/networkpolicy.ts";
import type { DenyEngine, Detection } from "../policy/engine.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { Labels, NetworkPolicy } from "../policy/objects.ts";
import { change } from "../simulator/change.ts";
import { compile } from "../simulator/compile.ts";
import type { SimulatedPod, Snapshot } from "../simulator/snapshot.ts";
import { deniesMark } from "./denies-mark.ts";
import { judgedBy } from "./detection.ts";
import type { SimulatedChange } from "./impact.ts";

/** What a denial writes: the NetworkPolicy, what a stronger engine has beside it, and what that engine cannot say. */
export type ContainmentObjects = {
  readonly policy: NetworkPolicy;
  readonly denies: readonly Manifest[];
  readonly notes: readonly string[];
};

/** The NetworkPolicy names the others, so that whoever finds it finds them. */
export function objectsFor(engine: DenyEngine, denial: Denial, { ways }: Pick<Detection, "ways">): ContainmentObjects {
  const { objects: denies, notes } = deniesOf(engine, denial, ways);
  const annotations = { ...denial.annotations, ...deniesMark(denies) };
  return { policy: denyByNetworkPolicy({ ...denial, annotations }), denies, notes };
}

/** What a containment does to the cluster. Pods and policies are those of the snapshot itself. */
export type Containment = {
  readonly objects: readonly Manifest[];
  /** The contained pods with the labels that they have then. */
  readonly labels: ReadonlyMap<SimulatedPod, Labels>;
  /** Policies of others that are changed, by what they were. */
  readonly changed: ReadonlyMap<NetworkPolicy, NetworkPolicy>;
};

/** The cluster before and with the containment in force. Pure; takes as long as compiling the snapshot does. */
export function simulateContainment(
  snapshot: Snapshot,
  detection: Pick<Detection, "simulated" | "engines">,
  { objects, labels, changed }: Containment,
): SimulatedChange {
  const before = compile(snapshot, judgedBy(detection));
  const forms = [...labels].map(([was, then]) => [was, { ...was, labels: then }] as const);
  const added = [...changed.values(), ...objects];
  const after = change(before, { removed: [...changed.keys()], added, pods: new Map(forms) });
  return {
    before,
    after,
    moved: new Map(forms.map(([was, is]) => [is, was])),
    subjects: forms.map(([, is]) => is),
  };
}
