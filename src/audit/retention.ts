import type { Redis } from "ioredis";
import { canonicalJson } from "../policy/canonical.ts";
import type { Copies } from "./copies.ts";
import type { ChainedEntry, ChainHead, NewEntry } from "./entry.ts";
import type { Stamp } from "./loss.ts";
import { walkEntries } from "./read.ts";
import { type Bounds, type Marks, readBounds, trimEntries } from "./stream.ts";
import { verifyChain } from "./verify.ts";

/** So many entries are trimmed at a time: Redis does nothing else meanwhile. */
const batchSize = 500;

export type Retention = {
  /** Entries whose `at` is earlier may go, milliseconds since the epoch. */
  readonly olderThanMs: number;
  /** Entries that must stay, whatever their age: those of live operations. They hold back all that follow them. */
  readonly keeps: (entry: ChainedEntry) => boolean;
};

/**
 * Takes the oldest entries out of Redis: only those at or below the number up to which an export was confirmed, and only
 * where the chain is intact up to there. Throws where it is not: nothing may vanish that somebody still has to look at.
 * Returns how many went; call again while it is more than 0.
 */
export async function trimConfirmed(redis: Redis, retention: Retention): Promise<number> {
  const { base, confirmed } = await readBounds(redis);
  const batch = await removable(redis, { base, confirmed }, retention);
  const last = batch.at(-1);
  if (last === undefined) return 0;
  const intact = await verifyChain(batch, last, { base, trusted: true });
  if (!intact.ok) throw new Error(`nothing of the audit chain is trimmed, since it is damaged: ${intact.why}`);
  if (last.seq === confirmed.seq && last.hash !== confirmed.hash) {
    throw new Error(`nothing of the audit chain is trimmed: entry ${last.seq} is not the one that was exported`);
  }
  const ids = batch.map(({ id }) => id);
  return (await trimEntries(redis, base, last, ids)) ? batch.length : 0;
}

async function removable(
  redis: Redis,
  { base, confirmed }: Pick<Bounds, "base" | "confirmed">,
  { olderThanMs, keeps }: Retention,
): Promise<readonly ChainedEntry[]> {
  const batch: ChainedEntry[] = [];
  for await (const stored of walkEntries(redis, base.seq + 1)) {
    const entry = stored as ChainedEntry;
    if (batch.length === batchSize || !(entry.seq <= confirmed.seq)) break;
    if (!(Date.parse(entry.at) < olderThanMs) || keeps(entry)) break;
    batch.push(entry);
  }
  return batch;
}

/** `confirmed`: the export holds everything up to `head`. Else why it does not, as a sentence. */
export type Confirmation =
  | { readonly kind: "confirmed"; readonly head: ChainHead; readonly entry: ChainedEntry }
  | { readonly kind: "refused"; readonly why: string };

type Append = (entry: NewEntry, marks: Marks) => Promise<ChainedEntry>;

/**
 * Confirms that an export exists, after comparing it with the chain in Redis entry by entry: what it holds may be
 * trimmed once it is old enough. The chain says so itself, so that a trim without an export shows.
 */
export async function confirmExport(
  redis: Redis,
  { entries, base, cutLine }: Copies,
  { append, stamp, actor }: { readonly append: Append; readonly stamp: Stamp; readonly actor: NewEntry["actor"] },
): Promise<Confirmation> {
  if (cutLine !== undefined) return refused(`line ${cutLine}, the last, is cut in the middle`);
  const verified = await verifyChain(entries, undefined, { base });
  if (!verified.ok) return refused(`its chain is broken at entry ${verified.seq}: ${verified.why}`);
  const { head } = verified;
  const bounds = await readBounds(redis);
  if (head.seq <= bounds.base.seq) return refused(`it ends at entry ${head.seq}, and Redis holds none so old any more`);
  if (base.seq > bounds.base.seq)
    return refused(`it begins after entry ${base.seq}, Redis already after ${bounds.base.seq}`);
  const differs = await firstDifference(redis, entries as readonly ChainedEntry[], bounds.base);
  if (differs !== undefined) return refused(`entry ${differs} is not the one that stands in Redis`);
  if (head.seq <= bounds.confirmed.seq)
    return refused(`everything up to entry ${bounds.confirmed.seq} is confirmed already`);
  const marks = { confirmedSeq: head.seq, confirmedHash: head.hash };
  const entry = await append(confirmationEntry(head, stamp, actor), marks);
  return { kind: "confirmed", head, entry };
}

/** The number of the first entry after `base` in the file that Redis holds otherwise, or not at all. */
async function firstDifference(
  redis: Redis,
  entries: readonly ChainedEntry[],
  base: ChainHead,
): Promise<number | undefined> {
  if (base.seq > 0 && entries.find(({ seq }) => seq === base.seq)?.hash !== base.hash) {
    if (entries[0]?.prev !== base.hash) return base.seq;
  }
  const stored = walkEntries(redis, base.seq + 1);
  for (const entry of entries) {
    if (entry.seq <= base.seq) continue;
    const { value } = await stored.next();
    if (value === undefined || canonicalJson(value) !== canonicalJson(entry)) return entry.seq;
  }
  return undefined;
}

function confirmationEntry(head: ChainHead, { at, replica }: Stamp, actor: NewEntry["actor"]): NewEntry {
  return {
    id: `chain:confirmed:${head.seq}:${head.hash.slice(0, 16)}`,
    kind: "chain",
    at,
    verb: "audit",
    actor,
    where: { source: "chain" },
    ok: true,
    summary: `an export of entries up to ${head.seq} was confirmed: they may leave Redis once they are old enough`,
    detail: { confirmed: head },
    replica,
  };
}

function refused(why: string): Confirmation {
  return { kind: "refused", why };
}
