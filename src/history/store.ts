import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { commitScript, trimScript } from "./commit-script.ts";
import { keys } from "./keys.ts";
import type { Lineage } from "./lineage.ts";
import { decode, encode, stampOf, textOf } from "./record.ts";
import { stepsOf } from "./revisions.ts";

/** What becomes of a lineage: the same one where nothing does, undefined where nothing is to be left of it. */
export type Change = (lineage: Lineage | undefined) => Lineage | undefined;

/** Ids of revisions that are there and were not before, and how many went. */
export type Done = { readonly added: readonly string[]; readonly removed: number };

export type Store = {
  /** By code; without those that are not there. One that cannot be read is told to `onProblem` and left out. */
  read(cluster: string, codes: readonly string[]): Promise<ReadonlyMap<string, Lineage>>;
  /** Each change is made on what is stored then, again where another replica was first. What cannot be read stays as it is. */
  change(cluster: string, changes: ReadonlyMap<string, Change>, isTrim?: boolean): Promise<Done>;
};

/** A script that stores more would keep all other commands waiting. */
const storedAtOnce = 200;
/** So many races lost in a row are a state that nobody foresaw. */
const mostRaces = 50;

export function createStore(redis: Redis, onProblem: (error: unknown) => void): Store {
  const reader = createReader(redis, onProblem);

  const once = async (cluster: string, changes: ReadonlyMap<string, Change>, script: string) => {
    const stored = await reader(cluster, [...changes.keys()]);
    const writes = [...changes].flatMap(([code, change]) => guarded(() => writeOf(code, stored.get(code), change)));
    const lost = writes.length === 0 ? [] : await commit(redis, { cluster, writes, script });
    return { lost, held: writes.filter(({ code }) => !lost.includes(code)) };
  };

  /** What cannot be recorded must not keep all others waiting. */
  const guarded = (make: () => readonly Write[]): readonly Write[] => {
    try {
      return make();
    } catch (error) {
      onProblem(error);
      return [];
    }
  };

  const some = async (cluster: string, changes: ReadonlyMap<string, Change>, script: string): Promise<Done> => {
    let left = changes;
    const done: Write[] = [];
    for (let race = 0; left.size > 0; race += 1) {
      if (race > mostRaces) throw new Error(`the history was busy: ${mostRaces} races for a policy were lost`);
      if (race > 0) await delay(Math.random() * Math.min(race * 5, 50));
      const { lost, held } = await once(cluster, left, script);
      done.push(...held);
      left = new Map([...left].filter(([code]) => lost.includes(code)));
    }
    const added = done.flatMap((write) => write.added.map(({ id }) => id));
    return { added, removed: done.reduce((sum, { removed }) => sum + removed.length, 0) };
  };

  return {
    async read(cluster, codes) {
      const stored = await reader(cluster, codes);
      return new Map([...stored].flatMap(([code, { lineage }]) => (lineage === undefined ? [] : [[code, lineage]])));
    },
    async change(cluster, changes, isTrim = false) {
      const done: Done[] = [];
      for (const part of parts([...changes])) {
        done.push(await some(cluster, new Map(part), isTrim ? trimScript : commitScript));
      }
      const removed = done.reduce((sum, one) => sum + one.removed, 0);
      return { added: done.flatMap(({ added }) => added), removed };
    },
  };
}

type StoredOne = { readonly stamp: string; readonly lineage: Lineage | undefined; readonly readable: boolean };

function createReader(redis: Redis, onProblem: (error: unknown) => void) {
  const one = (head: Buffer | null | undefined, trail: Buffer | null | undefined): StoredOne => {
    if (!head) return { stamp: "", lineage: undefined, readable: true };
    try {
      return { stamp: stampOf(head), lineage: decode(head, trail ?? null), readable: true };
    } catch (error) {
      onProblem(error);
      return { stamp: "", lineage: undefined, readable: false };
    }
  };
  return async (cluster: string, codes: readonly string[]): Promise<ReadonlyMap<string, StoredOne>> => {
    if (codes.length === 0) return new Map();
    const replies = await redis
      .multi()
      .hmgetBuffer(keys.heads(cluster), ...codes)
      .hmgetBuffer(keys.trails(cluster), ...codes)
      .exec();
    const [heads = [], trails = []] = (replies ?? []).map(([error, values]) => {
      if (error !== null) throw error;
      return values as (Buffer | null)[];
    });
    return new Map(codes.map((code, index) => [code, one(heads[index], trails[index])]));
  };
}

type Write = {
  readonly code: string;
  readonly stamp: string;
  readonly next: Lineage | undefined;
  readonly namespace: string;
  readonly added: readonly { readonly id: string; readonly at: number }[];
  readonly removed: readonly string[];
};

/** None where nothing changes: what another replica has told already costs no write. */
function writeOf(code: string, stored: StoredOne | undefined, change: Change): readonly Write[] {
  const { stamp, lineage, readable } = stored ?? { stamp: "", lineage: undefined, readable: true };
  if (!readable) return [];
  const next = change(lineage);
  if (next === lineage || (next && lineage && textOf(next) === textOf(lineage))) return [];
  const before = new Map((lineage ? stepsOf(lineage) : []).map(({ id, at }) => [id, at]));
  const after = new Map((next ? stepsOf(next) : []).map(({ id, at }) => [id, at]));
  const added = [...after].filter(([id, at]) => before.get(id) !== at).map(([id, at]) => ({ id, at }));
  const removed = [...before.keys()].filter((id) => !after.has(id));
  return [{ code, stamp, next, namespace: (next ?? lineage)?.key.namespace ?? "", added, removed }];
}

/** Codes of those that another replica has written since they were read. */
async function commit(
  redis: Redis,
  { cluster, writes, script }: { readonly cluster: string; readonly writes: readonly Write[]; readonly script: string },
): Promise<readonly string[]> {
  const values = writes.flatMap(({ code, stamp, next, namespace, added, removed }) => {
    const { head, trail = "" } = next === undefined ? { head: "" } : encode(next);
    const times = added.flatMap(({ id, at }) => [id, at]);
    const near = keys.times(cluster, namespace);
    return [code, stamp, head, trail, near, added.length, ...times, removed.length, ...removed];
  });
  const all = [keys.heads(cluster), keys.trails(cluster), keys.names(cluster), keys.times(cluster)];
  const names = [...all, keys.revisions, keys.clusters];
  return (await redis.eval(script, names.length, ...names, cluster, ...values)) as string[];
}

function parts<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / storedAtOnce) }, (_, index) =>
    all.slice(index * storedAtOnce, (index + 1) * storedAtOnce),
  );
}
