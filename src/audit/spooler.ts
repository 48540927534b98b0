import { canonicalJson } from "../policy/canonical.ts";
import type { ChainedEntry, NewEntry } from "./entry.ts";
import type { Appended, AppendOptions } from "./log.ts";
import type { Spool } from "./spool.ts";

export type Spooling = {
  readonly spool: Spool;
  /**
   * Told of each entry that is not in the chain when its append returns, and why. For one that was spooled it is the
   * copy that outlives the pod; for `told-only` it is the record itself. Once chained, `onEntry` is told of it, too.
   */
  readonly onUnchained: (entry: NewEntry, standing: "spooled" | "told-only", why: string) => void;
};

type Spooler = {
  readonly append: (entry: NewEntry, options?: AppendOptions) => Promise<Appended>;
  readonly replay: () => Promise<number>;
};

/** Beyond this an append does not wait until what was spooled before it is in the chain, but is spooled behind it. */
const caughtUpBytes = 256 * 1024;
/** Entries that found no place on disk are tried again from memory, as long as the process lives. */
const mostHeld = 1_000;

type Chain = {
  readonly chain: (entry: NewEntry) => Promise<ChainedEntry>;
  /** Throws where the chain cannot be reached; nothing is taken out of the spool then. */
  readonly reach: () => Promise<unknown>;
};

/** Chain first; where it cannot be reached the spool, for those entries that may be; then standard output alone. */
export function createSpooler({ chain, reach }: Chain, spooling: Spooling | undefined): Spooler {
  if (spooling === undefined) {
    return { append: async (entry) => chained(await chain(entry)), replay: () => Promise.resolve(0) };
  }
  const { spool, onUnchained } = spooling;
  const held = new Map<string, NewEntry>();

  const replay = async (): Promise<number> => {
    await reach();
    const replayed = await spool.replay(chain);
    for (const [id, entry] of held) {
      await chain(entry);
      held.delete(id);
    }
    return replayed;
  };

  /** What happened first stands first: the chain, after the spool. */
  const chainInOrder = async (entry: NewEntry, maySpool: boolean): Promise<ChainedEntry> => {
    if (!spool.mayHold() && held.size === 0) return chain(entry);
    if ((await spool.waitingBytes()) <= caughtUpBytes) await replay();
    else if (maySpool) throw new Error("earlier entries wait in the spool");
    return chain(entry);
  };

  return {
    replay,
    async append(entry, { spool: maySpool = false } = {}) {
      // What has no JSON form is refused by everything.
      canonicalJson(entry);
      try {
        return chained(await chainInOrder(entry, maySpool));
      } catch (error) {
        if (!maySpool) throw error;
        const spooled = await spool.append(entry);
        if (spooled.kind === "refused" && held.size < mostHeld) held.set(entry.id, entry);
        const standing = spooled.kind === "spooled" ? "spooled" : "told-only";
        onUnchained(entry, standing, spooled.kind === "refused" ? spooled.why : message(error));
        return { kind: standing, id: entry.id };
      }
    },
  };
}

function chained(entry: ChainedEntry): Appended {
  return { kind: "chained", entry };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
