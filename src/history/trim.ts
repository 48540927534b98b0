import type { Redis } from "ioredis";
import { bounded } from "./bound.ts";
import { keys } from "./keys.ts";
import type { Lineage } from "./lineage.ts";
import { pruned } from "./notes.ts";
import type { Change, Store } from "./store.ts";

const lookedAtAtOnce = 500;

/** Takes revisions from before the moment away, of all clusters; answers how many. */
export async function trimBefore(redis: Redis, store: Store, since: number): Promise<number> {
  const clusters = await redis.smembers(keys.clusters);
  let removed = 0;
  for (const cluster of clusters) removed += await trimCluster(redis, store, { cluster, since });
  return removed;
}

/** The lineage within its bounds. */
export function within(lineage: Lineage, bounds: Parameters<typeof bounded>[1]): Lineage | undefined {
  const left = bounded(lineage, bounds);
  return left && pruned(left);
}

type Part = { readonly cluster: string; readonly since: number };

/** Until nothing goes any more: what cannot be read stays. */
async function trimCluster(redis: Redis, store: Store, { cluster, since }: Part): Promise<number> {
  const change: Change = (lineage) => lineage && within(lineage, { since, most: Number.POSITIVE_INFINITY });
  let removed = 0;
  for (;;) {
    const old = await redis.zrangebyscore(keys.times(cluster), "-inf", `(${since}`, "LIMIT", 0, lookedAtAtOnce);
    const codes = new Set(old.map((member) => member.split(" ")[0] ?? ""));
    const done = await store.change(cluster, new Map([...codes].map((code) => [code, change])), true);
    removed += done.removed;
    if (done.removed === 0) return removed;
  }
}
