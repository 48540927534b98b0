import type { Operation } from "../policy/operation.ts";
import { adoptRecords, type Kept, stalledAfterMs } from "./adopt.ts";
import { operationCard } from "./card.ts";
import { run } from "./confirm.ts";
import type { Outlet } from "./desk.ts";
import type { FallbackJournal } from "./fallback.ts";
import { owing } from "./hold.ts";
import { type Journal, readRecord } from "./laptop.ts";
import type { Services } from "./services.ts";

/** A record that is older may be a copy of one that ended long ago: Redis decides about it when it is back. */
const goOnWithinMs = 86_400_000;

/** Everything that the sweep over kept operations needs. */
export type Keeping = {
  /** With the journal that falls back to the cluster. */
  readonly services: Services;
  /** Redis alone. */
  readonly redis: Journal;
  readonly fallback: Pick<FallbackJournal, "noneKept">;
  readonly records: Kept;
  readonly outletFor: (operation: Operation) => Outlet;
};

/**
 * One sweep over operations that lie in the cluster: once Redis is there all are taken over into it, and their cards
 * say so. Where it is still away, those that stopped in the middle are gone on with, and it throws.
 */
export async function sweepKept(keeping: Keeping): Promise<void> {
  const { services, redis, fallback, records, outletFor } = keeping;
  const { left, taken } = await adoptRecords({ ...services, ...redis }, records).catch(async (error: unknown) => {
    await goOn(keeping);
    throw error;
  });
  if (left === 0) fallback.noneKept();
  for (const operation of taken) {
    if (operation.card !== undefined) {
      await outletFor(operation).show(operationCard(operation, services.now()), operation.card);
    }
  }
}

/** Storing the step is a compare-and-set, so that of several replicas one goes on. */
async function goOn(keeping: Keeping): Promise<void> {
  const kept = (await keeping.records.sealed.list()).flatMap(({ text }) => readRecord(text)?.operation ?? []);
  const stalled = kept.filter((operation) => isStalled(operation, keeping.services.now()));
  await Promise.all(stalled.map((operation) => finish(keeping, operation)));
}

async function finish({ services, outletFor }: Keeping, operation: Operation): Promise<void> {
  const step = { step: `taken over by ${services.replica}`, at: services.now() };
  const stored = await services.operations.replace({ ...operation, steps: [...operation.steps, step] });
  if (stored === undefined) return;
  const context = { services, outlet: outletFor(stored), request: { card: stored.card } };
  await owing(context, { operation: stored, lease: undefined }, (held, hold) => run(held, stored, hold));
}

function isStalled({ state, steps, confirmed }: Operation, now: number): boolean {
  const lastAt = steps.at(-1)?.at ?? 0;
  const isFresh = confirmed !== undefined && now - confirmed.at < goOnWithinMs;
  return state === "running" && isFresh && now - lastAt > stalledAfterMs;
}
