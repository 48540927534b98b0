import { standingDrift } from "../policy/drift.ts";
import type { Refusal } from "../policy/guard.ts";
import { refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { note, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import { restoreHeld } from "./drift-restoring.ts";
import { recordDrift, tellDrift, withRecords } from "./drift-tell.ts";
import { isRestorable } from "./drift-words.ts";
import { owing } from "./hold.ts";
import { isBeingReleased, releaseOf } from "./releasing.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { amend, type Context, storeAndHold } from "./services.ts";
import { showCard } from "./show-card.ts";

/** Puts back what the plan wrote, under the operation's lease; whoever releases it at the same time goes first. */
export async function restore(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  const { services, outlet, request } = context;
  const release = await releaseOf(services, operation);
  if (release !== undefined) return tell(context, isBeingReleased(operation, release));
  const drifts = standingDrift(operation).filter((drift) => isRestorable(operation, drift));
  if (drifts.length === 0) return nothingThere;
  const held = await storeAndHold(services, operation);
  return owing(context, held, async (_, hold) => {
    const done = await restoreHeld(services, held.operation, { drifts, hold, by: request.principal });
    if (done.failed !== undefined) {
      return tell(context, note(`Not put back: ${operation.id}`, [text(done.failed)], "failed"));
    }
    await tellDrift(services, done.operation, { records: done.restored, outlet });
    return operationCard(done.operation, services.now());
  });
}

const nothingThere = refusal("nothing of it is there to be put back any more", "Look at /np drift.");

/** It stays as it is, and nobody is told of it any more; what it claims does not come back by that. */
export async function accept(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  const { services, request } = context;
  const open = new Set(standingDrift(operation).flatMap(({ id, state }) => (state === "open" ? id : [])));
  if (open.size === 0) return nothingOpen;
  const { principal: by } = request;
  const at = services.now();
  const stored = await amend(services, operation.id, (now) =>
    withRecords(now, (one) =>
      open.has(one.id) && one.state === "open" ? { ...one, state: "accepted", by, toldAt: at } : one,
    ),
  );
  const accepted = stored.drift?.records.filter(({ id, state }) => open.has(id) && state === "accepted") ?? [];
  for (const one of accepted) await recordDrift(services, stored, one);
  return showCard(context, stored);
}

const nothingOpen = refusal("it is as it was again, or somebody has accepted it already", "Look at /np drift.");

async function tell({ outlet }: Pick<Context, "outlet">, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
