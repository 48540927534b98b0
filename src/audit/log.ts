import type { Redis } from "ioredis";
import { createAppender } from "./append.ts";
import type { Copies } from "./copies.ts";
import type { ChainedEntry, ChainHead, NewEntry } from "./entry.ts";
import { type AuditHealth, type HealthLimits, readHealth } from "./health.ts";
import type { Stamp } from "./loss.ts";
import { findEntry, readEntries, walkEntries } from "./read.ts";
import { type Confirmation, confirmExport, type Retention, trimConfirmed } from "./retention.ts";
import { createSpooler, type Spooling } from "./spooler.ts";
import { type Bounds, readBounds, readHead } from "./stream.ts";
import { createTeller } from "./tell.ts";

export type AuditFilter = {
  /** Entries whose `at` is no earlier, milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly namespace?: string;
  /** A principal's key. */
  readonly actor?: string;
  readonly operation?: string;
  readonly incident?: string;
  /** The newest so many; all where absent. */
  readonly limit?: number;
};

/**
 * What became of an append: in the chain now; or kept where the bot will find it (`pending`, a ConfigMap); or on this
 * replica's disk until the chain can be reached (`spooled`); or nowhere but on its standard output (`told-only`).
 */
export type Appended =
  | { readonly kind: "chained"; readonly entry: ChainedEntry }
  | { readonly kind: "pending" | "spooled" | "told-only"; readonly id: string };

export type AppendOptions = {
  /**
   * The entry may be spooled where the store cannot be reached, or only be told where even that fails: for what must
   * not wait for the audit (invariant 1). Default false.
   */
  readonly spool?: boolean;
};

/**
 * Append only. Throws where the store cannot be reached and the entry may not be spooled: then the entry is not durable,
 * and no write may follow.
 */
export type AuditLog = {
  /** Durable when it returns, but for `told-only`. An id that is in the chain already is returned as it stands there. */
  append(entry: NewEntry, options?: AppendOptions): Promise<Appended>;
  head(): Promise<ChainHead>;
  /** The entry of that id. */
  find(id: string): Promise<ChainedEntry | undefined>;
  /** Oldest first. */
  read(filter: AuditFilter): Promise<readonly ChainedEntry[]>;
  /** How the log itself is, for `status`. */
  health(): Promise<AuditHealth>;
};

/** An audit log that holds the whole chain itself. */
export type ChainStore = AuditLog & {
  /** Every entry, oldest first, unjudged: parsed JSON, or the text where it is none. For verifyChain and the export. */
  all(): AsyncIterable<unknown>;
  /**
   * Calls `onEntry` for entries that were never told: appended by a terminal or by a replica that died, or by an append
   * that looked failed. To be called from time to time by whoever's standard output is kept. Returns how many.
   */
  tellMissed(): Promise<number>;
  /**
   * Brings what was spooled into the chain, in order, by its ids; throws where the store cannot be reached, and the rest
   * stays spooled. To be called from time to time. Returns how many entries were replayed.
   */
  replaySpool(): Promise<number>;
  /**
   * Compares the chain in the store with the newest head that this process knows of; where the store was emptied or went
   * back to an older state, records that in the chain. To be called from time to time. Returns the newest head.
   */
  witness(stamp: Stamp): Promise<ChainHead>;
  bounds(): Promise<Bounds>;
  /** Confirms an export of the chain, and records that it was: see confirmExport. */
  confirm(copies: Copies, by: { readonly stamp: Stamp; readonly actor: NewEntry["actor"] }): Promise<Confirmation>;
  /** Removes some of the oldest entries that were exported; how many. See trimConfirmed. */
  trim(retention: Retention): Promise<number>;
};

export type AuditLogOptions = {
  /**
   * Told of each entry that this log has appended, and of others by `tellMissed`: one JSON line each on standard output
   * is the second copy of the chain. Once for one log; two replicas may tell of the same entry.
   */
  readonly onEntry: (entry: ChainedEntry) => void;
  /** Where entries wait for the chain; without it an append with `spool` throws like every other. */
  readonly spooling?: Spooling;
  /** The newest head that an earlier process has seen. */
  readonly seen?: ChainHead;
  readonly limits?: HealthLimits;
};

/**
 * The chain in a Redis Stream `{bulkhead}:audit` with ids `<seq>-0`. Durable means what the server's AOF means: it is
 * to run with `appendfsync always` and `noeviction`. The client must reject when the server is away (connectRedis).
 */
export function createAuditLog(redis: Redis, { onEntry, spooling, seen, limits }: AuditLogOptions): ChainStore {
  const teller = createTeller(redis, onEntry);
  const appender = createAppender(redis, { onEntry: teller.tell, ...(seen === undefined ? {} : { seen }) });
  const spooler = createSpooler({ chain: appender.append, reach: () => readHead(redis) }, spooling);
  return {
    append: spooler.append,
    head: () => readHead(redis),
    find: (id) => findEntry(redis, id),
    read: (filter) => readEntries(redis, filter),
    health: () => readHealth(redis, { spool: spooling?.spool, ...limits }),
    all: () => walkEntries(redis),
    tellMissed: teller.tellMissed,
    replaySpool: spooler.replay,
    witness: appender.witness,
    bounds: () => readBounds(redis),
    confirm: (copies, by) => confirmExport(redis, copies, { ...by, append: appender.append }),
    trim: (retention) => trimConfirmed(redis, retention),
  };
}
