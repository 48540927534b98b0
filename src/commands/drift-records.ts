import type { Drift, Drifting, DriftKind, DriftRecord } from "../policy/drift.ts";

/** What was looked at, and what differed there. */
export type Looked = {
  readonly drifts: readonly Drift[];
  /** Kinds of which it is not known whether they are still there. */
  readonly unlooked: ReadonlySet<DriftKind>;
  readonly at: number;
};

/** So many that are over are remembered. */
const keptEnded = 20;

/**
 * What an operation remembers after a look; the same value where nothing is different. What is new, came back or went
 * away is to be told (isUntold); what somebody accepted and is still there is not.
 */
export function afterLook(before: Drifting | undefined, looked: Looked): Drifting | undefined {
  const { drifts, unlooked, at } = looked;
  const records = before?.records ?? [];
  const there = new Map(drifts.map((drift) => [drift.id, drift]));
  const known = records.map((record) =>
    next(record, there.get(record.id), { at, isLooked: !unlooked.has(record.kind) }),
  );
  const ids = new Set(records.map(({ id }) => id));
  const added = drifts.filter(({ id }) => !ids.has(id)).map((drift) => opened(drift, 1, at));
  const isSame = added.length === 0 && known.every((record, index) => record === records[index]);
  return isSame ? before : { ...before, records: bounded([...known, ...added]) };
}

/**
 * Whether somebody is still to be told how it stands; who began to tell it just now may yet do so. What could be told to
 * nobody for an hour stays on the card.
 */
export function isUntold({ toldAt, tellingAt, ended, since }: DriftRecord, now: number): boolean {
  const isOwed = toldAt === undefined && now - (ended ?? since) < owedForMs;
  return isOwed && (tellingAt === undefined || now - tellingAt > tellAgainMs);
}

const tellAgainMs = 10_000;
const owedForMs = 3_600_000;

function next(
  record: DriftRecord,
  drift: Drift | undefined,
  { at, isLooked }: { readonly at: number; readonly isLooked: boolean },
): DriftRecord {
  const isThere = record.state === "open" || record.state === "accepted";
  if (drift !== undefined) return isThere ? record : opened(drift, record.times + 1, at);
  if (!isThere || !isLooked || isBeingRestored(record, at)) return record;
  const { tellingAt: _telling, toldAt: _told, ...rest } = record;
  // Nobody waits for the end of what was accepted.
  const told = record.state === "accepted" ? { toldAt: at } : {};
  return { ...rest, state: "gone", ended: at, ...told };
}

/** Whoever puts it back tells that; one that died over it is not waited for longer. */
function isBeingRestored({ restoringAt }: DriftRecord, at: number): boolean {
  return restoringAt !== undefined && at - restoringAt < restoringMs;
}

const restoringMs = 30_000;

function opened(drift: Drift, times: number, since: number): DriftRecord {
  return { ...drift, state: "open", since, times };
}

function bounded(records: readonly DriftRecord[]): readonly DriftRecord[] {
  const ended = records.filter(({ state }) => state === "gone" || state === "restored");
  const forgotten = new Set(ended.toSorted((a, b) => (b.ended ?? 0) - (a.ended ?? 0)).slice(keptEnded));
  return records.filter((record) => !forgotten.has(record));
}
