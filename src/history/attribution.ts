import type { Redis } from "ioredis";
import { type Author, revisionId } from "../policy/revision.ts";
import type { Attribution } from "./history.ts";
import { keys } from "./keys.ts";
import type { Lineage } from "./lineage.ts";
import { withAuthor } from "./notes.ts";
import { beginning } from "./query.ts";
import type { Change, Store } from "./store.ts";

/** How long an author waits for the revision to come. */
const keptMs = 3_600_000;

/**
 * Authors that become known before their revision, or after. They are put down first and looked for second, by both
 * sides: whichever comes later finds the other.
 */
export function createAttribution(redis: Redis, store: Store) {
  const note = async (ids: readonly string[], change: (lineage: Lineage, id: string) => Lineage): Promise<void> => {
    const places = await placesOf(redis, ids);
    for (const [cluster, all] of Map.groupBy(places, (place) => place.cluster)) {
      const byCode = Map.groupBy(all, ({ code }) => code);
      const changes = [...byCode].map(([code, some]): [string, Change] => {
        return [code, (lineage) => lineage && some.reduce((state, { id }) => change(state, id), lineage)];
      });
      await store.change(cluster, new Map(changes));
    }
  };

  const arrived = async (ids: readonly string[]): Promise<void> => {
    const waiting = await authorsOf(redis, ids);
    if (waiting.size === 0) return;
    await note([...waiting.keys()], (lineage, id) =>
      (waiting.get(id) ?? []).reduce((state, author) => withAuthor(state, id, author), lineage),
    );
  };

  return {
    /** Changes the lineages of those revisions that are there. */
    note,
    /** Revisions are there that were not: those who were put down for them are their authors. */
    arrived,
    async add({ cluster, uid, resourceVersion, author }: Attribution): Promise<void> {
      const id = revisionId(cluster, uid, resourceVersion);
      const key = keys.authors(id);
      await redis.multi().sadd(key, JSON.stringify(author)).pexpire(key, keptMs).exec();
      await arrived([id]);
    },
  };
}

type Place = { readonly id: string; readonly code: string; readonly cluster: string };

async function placesOf(redis: Redis, ids: readonly string[]): Promise<readonly Place[]> {
  const found = await Promise.all(ids.map((id) => redis.zrangebylex(keys.revisions, ...beginning(`${id} `))));
  return found.flat().map(placeOf);
}

/** By a member of the index of all revisions. */
export function placeOf(member: string): Place {
  const [id = "", code = "", ...cluster] = member.split(" ");
  return { id, code, cluster: cluster.join(" ") };
}

async function authorsOf(redis: Redis, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Author[]>> {
  const texts = await Promise.all(ids.map((id) => redis.smembers(keys.authors(id))));
  const found = ids.map((id, index) => [id, (texts[index] ?? []).map((text) => JSON.parse(text) as Author)] as const);
  return new Map(found.filter(([, authors]) => authors.length > 0));
}
