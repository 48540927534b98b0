import type { Operation } from "../policy/operation.ts";
import { reviewCard } from "./card.ts";
import type { Outlet } from "./desk.ts";
import { amend, type Services } from "./services.ts";

/**
 * One sweep over the quarantines in force: where the review time has passed and the card has not asked yet, it asks.
 * It never releases. The moment of asking is stored first, so that of several replicas one asks; where nobody saw the
 * question, the next sweep asks again. One that cannot be asked about holds up no other, and is metered. `outletFor` gives the way to whoever asked for the operation.
 */
export async function askReviews(services: Services, outletFor: (operation: Operation) => Outlet): Promise<number> {
  const now = services.now();
  const live = await services.operations.list({ live: true });
  const due = live.filter(
    ({ state, reviewAt, reviewAskedAt }) =>
      state === "in-force" && reviewAt !== undefined && reviewAt <= now && reviewAskedAt === undefined,
  );
  let asked = 0;
  for (const operation of due) {
    try {
      if (await ask(services, operation, outletFor)) asked += 1;
    } catch (error) {
      services.meter({ kind: "error", where: "review", message: `${operation.id}: ${String(error)}` });
    }
  }
  return asked;
}

/** Whether somebody saw the question. */
async function ask(
  services: Services,
  operation: Operation,
  outletFor: (operation: Operation) => Outlet,
): Promise<boolean> {
  const now = services.now();
  const stored = await services.operations.replace({ ...operation, reviewAskedAt: now });
  if (stored === undefined) return false;
  let shown: Awaited<ReturnType<Outlet["show"]>> = { card: undefined, reached: false };
  try {
    shown = await outletFor(stored).show(reviewCard(stored, now), stored.card);
  } finally {
    if (!shown.reached) await amend(services, stored.id, unasked);
  }
  const { card, reached } = shown;
  if (stored.card === undefined && card !== undefined) await amend(services, stored.id, (one) => ({ ...one, card }));
  return reached;
}

function unasked({ reviewAskedAt: _asked, ...operation }: Operation): Operation {
  return operation;
}
