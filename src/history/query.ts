import type { Redis } from "ioredis";
import type { Revision } from "../policy/revision.ts";
import type { HistoryQuery } from "./history.ts";
import { codeOfName, keys } from "./keys.ts";
import { type Lineage, orderOf } from "./lineage.ts";
import { revisionOf, type Step, stepsOf } from "./revisions.ts";
import { createSieve } from "./sieve.ts";
import type { Store } from "./store.ts";

type Found = { readonly lineage: Lineage; readonly step: Step };

/** What a query finds, newest first. By name it reads the policies of that name; else as many as the limit asks for. */
export async function query(redis: Redis, store: Store, asked: HistoryQuery): Promise<readonly Revision[]> {
  const clusters = asked.cluster === undefined ? await redis.smembers(keys.clusters) : [asked.cluster];
  const search = asked.name === undefined ? byTime : byName;
  const found: Found[] = [];
  for (const cluster of clusters) found.push(...(await search(redis, store, { ...asked, cluster })));
  return found
    .toSorted(newestFirst)
    .slice(0, asked.limit)
    .map(({ lineage, step }) => revisionOf(lineage, step));
}

type OfCluster = HistoryQuery & { readonly cluster: string };

async function byName(redis: Redis, store: Store, asked: OfCluster): Promise<readonly Found[]> {
  const { cluster, namespace, name = "", since = 0, until = Number.POSITIVE_INFINITY } = asked;
  const codes = await redis.zrangebylex(keys.names(cluster), ...beginning(codeOfName(name, namespace)));
  const lineages = await store.read(cluster, codes);
  return [...lineages.values()]
    .flatMap((lineage) => stepsOf(lineage).map((step) => ({ lineage, step })))
    .filter(({ lineage: { key }, step: { at } }) => key.name === name && at >= since && at <= until)
    .filter((one) => isMeant(asked, one));
}

/** A member that is read twice, as others came before it, counts once. */
async function byTime(redis: Redis, store: Store, asked: OfCluster): Promise<readonly Found[]> {
  const { cluster, namespace, since = "-inf", until = "+inf", limit } = asked;
  const found = new Map<string, Found>();
  const sieve = createSieve(store, asked);
  const key = keys.times(cluster, namespace);
  const take = async (members: readonly string[]): Promise<void> => {
    for (const one of await pick(store, cluster, await sieve(members))) {
      if (isMeant(asked, one)) found.set(one.step.id, one);
    }
  };
  const isPart = asked.where !== undefined || asked.which !== undefined;
  const size = isPart ? mostAtOnce : Math.min(Math.max(limit, 1), mostAtOnce);
  for (let at = 0; found.size < limit; at += size) {
    const members = await redis.zrevrangebyscore(key, until, since, "LIMIT", at, size);
    await take(members);
    if (members.length < size) return [...found.values()];
  }
  // The index knows no order within one moment, and what a list tells is all of one.
  const moment = Math.min(...[...found.values()].map(({ step }) => step.at));
  await take(await redis.zrevrangebyscore(key, moment, moment));
  return [...found.values()];
}

const mostAtOnce = 200;

function isMeant({ where, which }: OfCluster, { lineage, step }: Found): boolean {
  return where?.(lineage.key) !== false && which?.(revisionOf(lineage, step)) !== false;
}

/** By members `code id` of an index, in their order. One that went since the index was read is left out. */
export async function pick(store: Store, cluster: string, members: readonly string[]): Promise<readonly Found[]> {
  const places = members.map((member) => member.split(" "));
  const lineages = await store.read(cluster, [...new Set(places.map(([code = ""]) => code))]);
  const steps = new Map(
    [...lineages].map(([code, lineage]) => [code, new Map(stepsOf(lineage).map((one) => [one.id, one]))]),
  );
  return places.flatMap(([code = "", id = ""]) => {
    const [lineage, step] = [lineages.get(code), steps.get(code)?.get(id)];
    return lineage === undefined || step === undefined ? [] : [{ lineage, step }];
  });
}

/** For ZRANGEBYLEX: all members that begin so. */
export function beginning(text: string): [from: string, to: string] {
  return [`[${text}`, `[${text}\xff`];
}

/** Of one moment, the later version first. */
function newestFirst(one: Found, other: Found): number {
  if (one.step.at !== other.step.at) return other.step.at - one.step.at;
  return orderOf(other.step.resourceVersion) - orderOf(one.step.resourceVersion) || rank(one.step) - rank(other.step);
}

/** Where another of its name was made at an unknown time after a deletion, both bear its version. */
function rank({ change }: Step): number {
  return change === "deleted" ? 1 : 0;
}
