import type { ChainHead, NewEntry } from "./entry.ts";

/** When, and by whom, something about the chain itself is recorded. */
export type Stamp = Pick<NewEntry, "at" | "replica">;

/**
 * The entry which says that the store does not hold the chain that this process has seen: its Redis was emptied, or an
 * older copy of it took over (replication is asynchronous). Of two replicas that saw the same head one writes it.
 */
export function lossEntry(seen: ChainHead, found: ChainHead, { at, replica }: Stamp): NewEntry {
  const first = Math.min(found.seq + 1, seen.seq);
  const summary =
    found.seq === 0
      ? `the store was empty: entries 1 to ${seen.seq} of the chain before are not in it any more, and this one begins anew`
      : `the store does not hold entry ${seen.seq} that was acknowledged (it ended at ${found.seq}): entries ${first} and later were lost or replaced`;
  return {
    id: `chain:lost:${seen.seq}:${seen.hash.slice(0, 16)}`,
    kind: "chain",
    at,
    verb: "audit",
    actor: { kind: "scheduler" },
    where: { source: "chain" },
    ok: false,
    summary: `${summary}. Their copies are on standard output and in exports.`,
    detail: { seen, found },
    replica,
  };
}
