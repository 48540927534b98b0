import type { Redis } from "ioredis";
import type { Revision } from "../policy/revision.ts";
import { placeOf } from "./attribution.ts";
import type { Where } from "./history.ts";
import { keys } from "./keys.ts";
import { beginning, pick } from "./query.ts";
import { revisionOf } from "./revisions.ts";
import { createSieve } from "./sieve.ts";
import type { Store } from "./store.ts";

/** A beginning of an id that more revisions have is too short to mean one. */
const mostFound = 10;
const mostAtOnce = 200;

type Asked = { readonly id: string; readonly where: Where | undefined };

/** The revisions that begin so and lie there, at most a few: what lies elsewhere takes nobody's place. */
export async function search(redis: Redis, store: Store, { id, where }: Asked): Promise<readonly Revision[]> {
  const size = where === undefined ? mostFound : mostAtOnce;
  const found: Revision[] = [];
  const sieves = new Map<string, ReturnType<typeof createSieve>>();
  for (let at = 0; found.length < mostFound; at += size) {
    const members = await redis.zrangebylex(keys.revisions, ...beginning(id), "LIMIT", at, size);
    for (const [cluster, places] of Map.groupBy(members.map(placeOf), (place) => place.cluster)) {
      const sieve = sieves.get(cluster) ?? createSieve(store, { cluster, where });
      sieves.set(cluster, sieve);
      const passed = await sieve(places.map((place) => `${place.code} ${place.id}`));
      const there = (await pick(store, cluster, passed)).filter(({ lineage }) => where?.(lineage.key) !== false);
      found.push(...there.map(({ lineage, step }) => revisionOf(lineage, step)));
    }
    if (members.length < size) break;
  }
  return found.slice(0, mostFound);
}
