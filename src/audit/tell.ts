import type { Redis } from "ioredis";
import type { ChainedEntry } from "./entry.ts";
import { walkEntries } from "./read.ts";
import { raiseTold, readTold } from "./stream.ts";

export type Teller = {
  /** Tells of the entry, unless this teller has; whether it did. */
  readonly tell: (entry: ChainedEntry) => boolean;
  /** Tells of all that nobody is known to have told of; how many. */
  readonly tellMissed: () => Promise<number>;
};

/** Sees to it that every entry is told at least once by somebody, and by one teller at most once. */
export function createTeller(redis: Redis, onEntry: (entry: ChainedEntry) => void): Teller {
  /** Hash → number: a chain that begins anew has the same numbers. */
  const told = new Map<string, number>();

  /** An append learns of its entry after tellMissed may have seen it: either of them is the first. */
  const tell = (entry: ChainedEntry): boolean => {
    if (told.has(entry.hash)) return false;
    told.set(entry.hash, entry.seq);
    onEntry(entry);
    return true;
  };

  return {
    tell,
    async tellMissed() {
      const before = await readTold(redis);
      let last = before;
      let missed = 0;
      for await (const entry of walkEntries(redis, before + 1)) {
        if (!isEntry(entry)) continue;
        if (tell(entry)) missed += 1;
        last = Math.max(last, entry.seq);
      }
      if (last > before) await raiseTold(redis, last);
      // Those of this round stay until the next: an append may still be waiting for its reply.
      for (const [hash, seq] of told) if (seq <= before) told.delete(hash);
      return missed;
    },
  };
}

/** What is damaged cannot be told; verifyChain names it. */
function isEntry(value: unknown): value is ChainedEntry {
  return typeof value === "object" && value !== null && "seq" in value && typeof value.seq === "number";
}
