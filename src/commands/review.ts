import { reviewCard } from "./card.ts";
import type { Outlet } from "./desk.ts";
import { amend, type Services } from "./services.ts";

/**
 * One sweep over the quarantines in force: where the review time has passed and the card has not asked yet, it asks.
 * It never releases. The moment of asking is stored first, so that of several replicas one asks.
 */
export async function askReviews(services: Services, outlet: Outlet): Promise<number> {
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
    asked += 1;
    const { card } = await outlet.show(reviewCard(stored, now), stored.card);
    if (stored.card === undefined && card !== undefined) await amend(services, stored.id, (one) => ({ ...one, card }));
  }
  return asked;
}
