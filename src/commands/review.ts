import type { Operation } from "../policy/operation.ts";
import { reviewCard } from "./card.ts";
import type { Outlet } from "./desk.ts";
import { amend, type Services } from "./services.ts";

/**
 * One sweep over the quarantines in force: where the review time has passed and the card has not asked yet, it asks.
 * It never releases. The moment of asking is stored first, so that of several replicas one asks; where nobody saw the
 * question, the next sweep asks again. `outletFor` gives the way to whoever asked for the operation.
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
    const stored = await services.operations.replace({ ...operation, reviewAskedAt: now });
    if (stored === undefined) continue;
    const { card, reached } = await outletFor(stored).show(reviewCard(stored, now), stored.card);
    if (reached) asked += 1;
    else await amend(services, stored.id, unasked);
    if (stored.card === undefined && card !== undefined) await amend(services, stored.id, (one) => ({ ...one, card }));
  }
  return asked;
}

function unasked({ reviewAskedAt: _asked, ...operation }: Operation): Operation {
  return operation;
}
