import { manifestName } from "../policy/manifest.ts";
import type { ContainPlan, LiftPlan } from "../policy/plan.ts";
import { namesOf, objectsOf, ownObjectsOf, removeObjects } from "./deny-objects.ts";
import type { Restoration, Restored } from "./restore.ts";
import { StepFailed } from "./step-failed.ts";

/** The release of a workload or a namespace on its way. */
export type Lifting = Pick<Restoration, "cluster" | "hold" | "done"> & {
  readonly plan: LiftPlan;
  readonly contained: ContainPlan;
};

/** Deletes what was written and nothing else, in the reverse order, and reads back. Can be repeated. */
export async function liftObjects(lifting: Lifting): Promise<Restored> {
  const { cluster, plan, contained, hold } = lifting;
  const writing = { cluster, operation: plan.lifts, hold };
  const left = await removeObjects(writing, objectsOf(contained));
  if (left.length > 0) throw new StepFailed(`${namesOf(left)} kept changing`, "It is still there, and still holds.");
  await lifting.done("policy deleted");
  const objects = ownObjectsOf(contained);
  const stored = await Promise.all(objects.map((object) => cluster.getObject(object)));
  await lifting.done("read back");
  // One that somebody took our label off was not deleted, and still holds.
  const still = objects.filter((_, index) => stored[index] !== undefined);
  if (still.length === 0) return { exact: true, lines: ["All that was written is gone; nothing else was changed."] };
  return { exact: false, lines: still.map((object) => `${manifestName(object)} is still there`) };
}
