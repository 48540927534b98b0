import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { canonicalJson } from "../policy/canonical.ts";
import { emptyHead, link } from "./chain.ts";
import type { ChainedEntry, ChainHead, NewEntry } from "./entry.ts";
import { lossEntry, type Stamp } from "./loss.ts";
import { findEntry } from "./read.ts";
import { compareHead, type Marks, storeEntry } from "./stream.ts";

/**
 * An append that has lost so many races in a row fails: the store is in a state that nobody foresaw. Another writer at full
 * speed may win hundreds: where the disk is slow, the store takes both in one turn, and always in the same order.
 */
const mostRaces = 1_000;

export type AppenderOptions = {
  readonly onEntry: (entry: ChainedEntry) => unknown;
  /** The newest head that an earlier process has seen. */
  readonly seen?: ChainHead;
};

export type Appender = {
  readonly append: (entry: NewEntry, marks?: Marks) => Promise<ChainedEntry>;
  /** Compares the store with what this process has seen, records a loss, and returns the newest head. */
  readonly witness: (stamp: Stamp) => Promise<ChainHead>;
};

/**
 * Appends one entry at a time and in the order of the calls, so that one process never races with itself; other
 * replicas may win a race for the head, and then the entry is linked anew. When the store fails, all that wait fail
 * with it, instead of each finding out by a time limit of its own.
 */
export function createAppender(redis: Redis, options: AppenderOptions): Appender {
  const writer = createWriter(redis, options);
  let last: Promise<unknown> = Promise.resolve();
  let calls = 0;
  let failure: { readonly callsUntilThen: number; readonly error: unknown } | undefined;

  const turn = async <T>(call: number, work: () => Promise<T>): Promise<T> => {
    if (failure !== undefined && call <= failure.callsUntilThen) throw failure.error;
    try {
      return await work();
    } catch (error) {
      failure = { callsUntilThen: calls, error };
      throw error;
    }
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    calls += 1;
    const call = calls;
    const done = last.then(() => turn(call, work));
    last = done.catch(() => undefined);
    return done;
  };

  return {
    async append(entry, marks = {}) {
      // What has no JSON form is refused here, where it is no failure of the store.
      canonicalJson(entry);
      return inTurn(() => writer.store(entry, marks));
    },
    witness: (stamp) => inTurn(() => writer.witness(stamp)),
  };
}

/** One write at a time: knows the newest head that it has seen, and notices where the store does not know it any more. */
function createWriter(redis: Redis, { onEntry, seen: before = emptyHead }: AppenderOptions) {
  let seen = before;

  const store = async (entry: NewEntry, marks: Marks): Promise<ChainedEntry> => {
    let head = seen;
    for (let race = 0; race < mostRaces; race += 1) {
      const { entry: linked, text } = link(entry, head);
      const result = await storeEntry(redis, { id: entry.id, text, after: head, next: linked, seen, marks });
      if (result.kind === "stored") return told(linked);
      if (result.kind === "known") return existing(redis, entry.id);
      head = result.continues ? result.head : await recordLoss(result.head, entry);
      // Two writers at full speed would keep each other losing; a random pause lets one of them through. The head is old
      // after a pause, so the try that follows only brings a new one, and the next try comes at once.
      if (race % 2 === 1) await delay(Math.random() * Math.min(race * 2, 20));
    }
    throw new Error(`the audit log was busy: the entry lost ${mostRaces} races for the head of the chain`);
  };

  const told = (entry: ChainedEntry): ChainedEntry => {
    seen = { seq: entry.seq, hash: entry.hash };
    onEntry(entry);
    return entry;
  };

  /** Until that is recorded this process goes on knowing what it has seen. Returns the head after it. */
  const recordLoss = async (found: ChainHead, stamp: Stamp): Promise<ChainHead> => {
    const lost = seen;
    seen = found;
    try {
      await store(lossEntry(lost, found, stamp), { lossSeq: found.seq + 1 });
    } catch (error) {
      seen = lost;
      throw error;
    }
    return seen;
  };

  const witness = async (stamp: Stamp): Promise<ChainHead> => {
    const found = await compareHead(redis, seen);
    if (found.continues) seen = found.head;
    else await recordLoss(found.head, stamp);
    return seen;
  };

  return { store, witness };
}

async function existing(redis: Redis, id: string): Promise<ChainedEntry> {
  const entry = await findEntry(redis, id);
  if (entry === undefined) throw new Error(`audit entry ${id} vanished while it was read`);
  return entry;
}
