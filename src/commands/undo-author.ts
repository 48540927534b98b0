import type { Attribution } from "../history/history.ts";
import { manifestName } from "../policy/manifest.ts";
import type { Operation } from "../policy/operation.ts";
import type { UndoWrite } from "../policy/undo-plan.ts";
import type { Services } from "./services.ts";
import { objectOf, verbOf } from "./undo-rehearsal.ts";

/** Says beside the object that the operation made this change: it cannot say so itself where it is gone, or before anybody looked. */
export async function attributeUndo(
  { history }: Services,
  { id, confirmed, principal }: Operation,
  change: Omit<Attribution, "author">,
): Promise<void> {
  const author = { kind: "operation", operation: id, by: confirmed?.by ?? principal } as const;
  await history?.attribute({ ...change, author });
}

/** The same once more of what it deleted, which bears no mark that says so. */
export async function attributeDeletions(services: Services, operation: Operation): Promise<void> {
  const { plan, steps, target } = operation;
  if (plan?.kind !== "undo") return;
  const taken = new Set(steps.map(({ step }) => step));
  for (const write of plan.writes) {
    const { uid, to } = write;
    if (uid === undefined || to !== undefined || !taken.has(stepOf(write))) continue;
    await attributeUndo(services, operation, { cluster: target.cluster, uid, resourceVersion: "deleted" });
  }
}

/** How a write that the operation made itself is told among its steps. */
export function stepOf(write: UndoWrite): string {
  return `${verbOf(write)} ${manifestName(objectOf(write))}`;
}
