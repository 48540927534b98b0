import { type Drifting, type DriftKind, type DriftRecord, mayRestore } from "../policy/drift.ts";
import type { Operation } from "../policy/operation.ts";
import { type Principal, principalName } from "../policy/principal.ts";
import { operationCard } from "./card.ts";
import { putBack } from "./drift-restore.ts";
import { tellDrift, withRecords } from "./drift-tell.ts";
import { isRestoredAlone } from "./drift-words.ts";
import { type Hold, LeaseLost, owing } from "./hold.ts";
import { record } from "./journal.ts";
import { amend, type Context, type Services } from "./services.ts";

/**
 * What came just now is put back without anybody, so often as configuration allows for its kind: counted with the lease
 * that the work needs, so that of several replicas, and however often it comes again, nobody does so once more.
 */
export async function restoreByItself(
  context: Pick<Context, "services" | "outlet">,
  operation: Operation,
  records: readonly DriftRecord[],
): Promise<void> {
  const { services, outlet } = context;
  const { driftRestores: most = 0 } = services.settings;
  const current = await services.operations.get(operation.id);
  if (most === 0 || current?.drift === undefined || current.state !== "in-force") return;
  const { drift } = current;
  const came = new Set(records.map(keyOf));
  const drifts = drift.records.filter(
    (one) =>
      one.state === "open" && came.has(keyOf(one)) && isRestoredAlone(current, one) && mayRestore(drift, one, most),
  );
  if (drifts.length === 0) return;
  const held = await services.operations.replaceAndHold({ ...current, drift: counted(drift, drifts) });
  if (held === undefined) return;
  await owing(context, held, async (_, hold) => {
    const done = await restoreHeld(services, held.operation, { drifts, hold, by: undefined });
    await tellDrift(services, done.operation, { records: done.restored, outlet });
    return operationCard(done.operation, services.now());
  });
}

/** Once for each kind, however many of it are put back together. */
function counted(drift: Drifting, drifts: readonly DriftRecord[]): Drifting {
  const kinds = new Set(drifts.map(({ kind }) => kind));
  const more = [...kinds].map((kind): readonly [DriftKind, number] => [kind, (drift.restores?.[kind] ?? 0) + 1]);
  return { ...drift, restores: { ...drift.restores, ...Object.fromEntries(more) } };
}

function keyOf({ id, times }: DriftRecord): string {
  return `${id}:${times}`;
}

type Restored = { readonly operation: Operation; readonly restored: readonly DriftRecord[]; readonly failed?: string };

/** Intent first; `by` undefined is Bulkhead itself. Throws LeaseLost. */
export async function restoreHeld(
  services: Services,
  operation: Operation,
  {
    drifts,
    hold,
    by,
  }: { readonly drifts: readonly DriftRecord[]; readonly hold: Hold; readonly by: Principal | undefined },
): Promise<Restored> {
  const actor: Principal = by ?? { kind: "scheduler" };
  const step = `restore-${drifts.map(({ id, times }) => `${id}-${times}`).join("-")}`;
  const what = drifts.map((drift) => drift.what).join("; ");
  const noted = { actor, step, verb: "restore", detail: { drifts } };
  const summary = `put back by ${by === undefined ? "Bulkhead itself" : principalName(by)}: ${what}`;
  await record(services, operation, { kind: "intent", summary, ...noted });
  const keys = new Set(drifts.map(keyOf));
  const change = (to: (one: DriftRecord) => DriftRecord) =>
    amend(services, operation.id, (now) => withRecords(now, (one) => (keys.has(keyOf(one)) ? to(one) : one)), {
      lease: hold.lease,
    });
  const begunAt = services.now();
  await change((one) => ({ ...one, restoringAt: begunAt }));
  let failed: string | undefined;
  try {
    await putBack(services, operation, { drifts, hold });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    failed = wordsOf(error);
    services.meter({ kind: "error", where: "restore", message: `${operation.id}: ${failed}` });
  }
  const ok = failed === undefined;
  await record(services, operation, {
    kind: "outcome",
    ok,
    summary: ok ? summary : `not put back: ${failed}`,
    ...noted,
  });
  if (failed !== undefined) return { operation, restored: [], failed };
  const at = services.now();
  const stored = await change((one) => restoredAs(one, at, by));
  return {
    operation: stored,
    restored: stored.drift?.records.filter((one) => keys.has(keyOf(one))) ?? [],
  };
}

function wordsOf(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return error instanceof Error && "left" in error && typeof error.left === "string" ? `${why}. ${error.left}` : why;
}

function restoredAs(record: DriftRecord, at: number, by: Principal | undefined): DriftRecord {
  const { by: _by, toldAt: _told, restoringAt: _restoring, ...rest } = record;
  return { ...rest, state: "restored", ended: at, tellingAt: at, ...(by === undefined ? {} : { by }) };
}
