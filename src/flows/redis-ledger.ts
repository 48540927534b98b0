import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { createKeyReader } from "./bucket-text.ts";
import type { Batch, Ledger } from "./ledger.ts";
import { createLedgerStore } from "./ledger-store.ts";
import { readView } from "./ledger-view.ts";
import { createOpenMinutes } from "./open-minutes.ts";
import { rollUp } from "./roll-up.ts";

export type RedisLedgerOptions = {
  /** How long anything is kept, milliseconds: by minutes for 3 h, and by quarters of an hour from then on. */
  readonly keepMs: number;
};

const mostBatches = 1_000;

/**
 * Counts of all replicas in Redis. Each process writes what it counted of a minute as a whole, over what it wrote of it
 * before, and nobody else writes there: so a write that is done again changes nothing. What all wrote is merged by whoever
 * reads. A batch id is remembered by the process that wrote it.
 */
export function createRedisLedger(redis: Redis, { keepMs }: RedisLedgerOptions): Ledger {
  const store = createLedgerStore(redis, keepMs);
  const keyOf = createKeyReader();
  const open = createOpenMinutes(store, { writer: randomUUID(), keyOf });
  const added = new Set<string>();

  return {
    async write(batch) {
      if (!added.has(batch.id)) {
        await open.add(batch);
        remember(added, batch.id);
      }
      await open.flush();
      for (const { cluster, atMs } of heardOf(batch)) await store.heard(cluster, atMs);
    },
    read: (query) => readView(store, query, keyOf),
    async tend(nowMs) {
      for (const cluster of await store.clusters()) {
        await store.forget(cluster, nowMs - keepMs);
        await rollUp(store, { cluster, nowMs }, keyOf);
      }
    },
  };
}

function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  const [oldest] = ids;
  if (ids.size > mostBatches && oldest !== undefined) ids.delete(oldest);
}

/** The latest of each cluster. */
function heardOf({ heard, tallies }: Batch): readonly { readonly cluster: string; readonly atMs: number }[] {
  if (heard !== undefined) return heard;
  const latest = new Map<string, number>();
  for (const { key, lastMs } of tallies) latest.set(key.cluster, Math.max(lastMs, latest.get(key.cluster) ?? 0));
  return [...latest].map(([cluster, atMs]) => ({ cluster, atMs }));
}
