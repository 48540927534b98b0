import { createHash } from "node:crypto";
import type { Moment } from "./baseline.ts";
import { textOf } from "./flow-key.ts";
import type { Scan } from "./scans.ts";
import { type CountedMinute, type Cut, changesBefore, mostPairs, type Spike, type SpikeEnd } from "./spike.ts";
import { type Group, isPair } from "./spike-groups.ts";
import type { SpikePace } from "./spike-pace.ts";
import { countedOf, mostOf, type PairSeries, type Series } from "./spike-series.ts";

/** A spike that goes on, with what it is watched by. */
export type Episode = {
  readonly spike: Spike;
  /** Of its group: what is of the same name a little later is part of it. */
  readonly name: string;
  /** Series that it is watched by; of a scan, its own. */
  readonly watched: readonly Watched[];
  readonly sinceTick: number;
  /** For how many minutes all was below its limits, and since when. */
  readonly quietTicks: number;
  readonly quietMs: number;
};

/** Loud is above what was the limit when it was told: a later one may have learnt from the spike itself. */
export type Watched = {
  readonly id: number;
  readonly limit: number;
  /** Of the number of pairs of a namespace. */
  readonly widthLimit?: number;
};

/** What is part of a matter comes within so many minutes. */
const joinTicks = 10;
/** What goes on for a day is usual. */
const usualTicks = 24 * 60;
const mostSeries = 200;
/** A card is not drawn again for less. */
const growth = 1.5;

type Place = { readonly cluster: string; readonly at: Moment; readonly minute: CountedMinute };

/** `all`: the pairs of the minute, of which the namespaces' highest are shown. */
export function opened(group: Group, all: readonly PairSeries[], { cluster, at, minute }: Place): Episode {
  const longest = Math.max(...[...group.pairs, ...group.whole].map(({ hot }) => hot));
  const sinceMs = at.minuteMs - (longest - 1) * 60_000;
  const pairs = pairsOf(group, all);
  const counted = group.whole.length > 0 ? group.whole : group.pairs;
  const [only] = group.pairs;
  const touched = [...new Set(pairs.flatMap(({ namespaces }) => namespaces))].toSorted();
  const follows = changesBefore(minute.changes, touched, sinceMs);
  const spike: Spike = {
    id: idOf(`${cluster} ${group.name} ${sinceMs}`),
    cluster,
    kind: kindOf(group, pairs),
    ...(group.operation !== undefined && { operation: group.operation }),
    subject:
      only !== undefined && group.pairs.length === 1 && group.whole.length === 0
        ? { kind: "pair", key: only.of.key }
        : { kind: "namespaces", namespaces: subjectOf(group, follows[0]?.namespace) ?? touched },
    namespaces: touched,
    sinceMs,
    perMinute: sum(counted, mostOf),
    usual: sum(counted, ({ usual }) => usual.level),
    atLeast: pairs.some(({ of }) => of.atLeast),
    pairs: pairs.slice(0, mostPairs).map(countedOf),
    pairCount: pairs.length,
    follows,
  };
  const watched = [...group.whole, ...group.pairs].map(watchedBy).slice(0, mostSeries);
  return { spike, name: group.name, watched, sinceTick: at.tick, quietTicks: 0, quietMs: sinceMs };
}

export function openedScan(scan: Scan, { cluster, at, minute }: Place): Episode {
  const { from, id } = scan;
  const mine = minute.counted.filter(({ key }) => JSON.stringify(key.from) === JSON.stringify(from));
  const spike: Spike = {
    id: idOf(`${cluster} scan ${id} ${at.minuteMs}`),
    cluster,
    kind: "scan",
    subject: { kind: "scan", from },
    namespaces: from.kind === "workload" ? [from.namespace] : [],
    sinceMs: at.minuteMs,
    perMinute: mine.reduce((total, { count }) => total + count, 0),
    usual: 0,
    atLeast: mine.some(({ atLeast }) => atLeast),
    pairs: mine.toSorted((a, b) => b.count - a.count).slice(0, mostPairs),
    pairCount: mine.length,
    follows: [],
  };
  return {
    spike,
    name: `scan ${id}`,
    watched: [{ id, limit: 0 }],
    sinceTick: at.tick,
    quietTicks: 0,
    quietMs: at.minuteMs,
  };
}

/** The episode with what is part of it; undefined where it is another matter. */
export function joined(episode: Episode, group: Group, at: Moment): Episode | undefined {
  const { spike, name, watched, sinceTick } = episode;
  if (spike.operation !== group.operation) return undefined;
  if (group.operation === undefined && at.tick - sinceTick > joinTicks) return undefined;
  const wide = spike.subject.kind === "namespaces" ? spike.subject.namespaces : [];
  const isPart =
    name === group.name ||
    [...group.pairs, ...group.whole].every(({ namespaces }) => namespaces.some((one) => wide.includes(one))) ||
    group.whole.some(
      ({ namespaces }) => spike.kind !== "scan" && namespaces.some((one) => spike.namespaces.includes(one)),
    );
  if (!isPart) return undefined;
  if (watched.length >= mostSeries) return episode;
  const known = new Set(watched.map(({ id }) => id));
  const more = [...group.whole, ...group.pairs].filter(({ id }) => !known.has(id)).map(watchedBy);
  const all = [...watched, ...more];
  // Of a whole namespace pairs were counted and shown that are above their own limits only now.
  const pairs = new Map([...spike.pairs, ...group.pairs.map(countedOf)].map((pair) => [textOf(pair.key), pair]));
  return {
    ...episode,
    watched: all.slice(0, mostSeries),
    spike: {
      ...spike,
      pairs: [...pairs.values()].toSorted((a, b) => b.count - a.count).slice(0, mostPairs),
      pairCount: Math.max(spike.pairCount, all.filter(({ widthLimit }) => widthLimit === undefined).length),
      namespaces: [
        ...new Set([...spike.namespaces, ...group.pairs.flatMap(({ namespaces }) => namespaces)]),
      ].toSorted(),
    },
  };
}

type After = {
  readonly at: Moment;
  readonly scans: readonly Scan[];
  readonly pace: SpikePace;
  readonly cut: Cut;
};

export type Over = { readonly episode: Episode; readonly end: SpikeEnd };

/** How the episodes stand after a minute: those that go on, those that have grown since before, those that are over. */
export function ended(
  episodes: readonly Episode[],
  series: ReadonlyMap<number, Series>,
  { at, scans, pace, cut }: After,
): { readonly episodes: readonly Episode[]; readonly grown: readonly Spike[]; readonly over: readonly Over[] } {
  const loudScans = new Set(scans.filter(({ isOne }) => isOne).map(({ id }) => id));
  const stood = episodes.map((episode) => stand(episode, series, { at, loudScans }));
  const over = stood.flatMap(({ episode }) => {
    const why = endOf(episode, at, { pace, cut });
    const sinceMs = why === "quiet" ? episode.quietMs : at.minuteMs;
    return why === undefined ? [] : [{ episode, end: { spike: episode.spike, why, sinceMs } }];
  });
  const gone = new Set(over.map(({ episode }) => episode));
  return {
    episodes: stood.map(({ episode }) => episode).filter((episode) => !gone.has(episode)),
    grown: stood.flatMap(({ episode, hasGrown }) => (hasGrown && !gone.has(episode) ? [episode.spike] : [])),
    over,
  };
}

type Minute = { readonly at: Moment; readonly loudScans: ReadonlySet<number> };

function stand(episode: Episode, series: ReadonlyMap<number, Series>, { at, loudScans }: Minute) {
  const { watched } = episode;
  const mine = watched.flatMap(({ id }) => series.get(id) ?? []);
  const isLoud = watched.some((one) => loudScans.has(one.id) || isAbove(series.get(one.id), one));
  const perMinute = sum(mine, ({ count }) => count);
  const hasGrown = perMinute > episode.spike.perMinute * growth;
  const spike = hasGrown ? { ...episode.spike, perMinute } : episode.spike;
  if (isLoud) return { episode: { ...episode, spike, quietTicks: 0 }, hasGrown };
  const quietMs = episode.quietTicks === 0 ? at.minuteMs : episode.quietMs;
  return { episode: { ...episode, spike, quietTicks: episode.quietTicks + 1, quietMs }, hasGrown };
}

function kindOf({ operation }: Group, pairs: readonly PairSeries[]): Spike["kind"] {
  if (operation !== undefined) return "expected";
  return pairs.every(({ usual }) => usual.isNew) ? "new" : "spike";
}

function watchedBy({ id, usual, width }: Series): Watched {
  return { id, limit: usual.limit, ...(width && { widthLimit: width.usual.limit }) };
}

function isAbove(series: Series | undefined, { limit, widthLimit }: Watched): boolean {
  if (series === undefined) return false;
  return series.count > limit || (widthLimit !== undefined && (series.width?.count ?? 0) > widthLimit);
}

/** What an operation cuts off is told once for as long as that is in force, however quiet it is meanwhile. */
function endOf(
  episode: Episode,
  at: Moment,
  { pace, cut }: { readonly pace: SpikePace; readonly cut: Cut },
): SpikeEnd["why"] | undefined {
  const { operation } = episode.spike;
  if (operation !== undefined) return cut.inForce.has(operation) ? undefined : "lifted";
  if (episode.quietTicks >= pace.quiet) return "quiet";
  return at.tick - episode.sinceTick >= usualTicks ? "usual" : undefined;
}

/** Those of the group, and of its namespaces those above what is usual of them. */
function pairsOf({ pairs, whole }: Group, all: readonly PairSeries[]): readonly PairSeries[] {
  const wide = new Set(whole.flatMap(({ namespaces }) => namespaces));
  const more = all.filter(
    ({ namespaces, count, usual }) => count > usual.level && namespaces.some((one) => wide.has(one)),
  );
  return [...new Set([...pairs, ...more])].toSorted((a, b) => b.count - a.count);
}

function subjectOf({ name, pairs, whole }: Group, changed: string | undefined): readonly string[] | undefined {
  const [kind, namespace] = name.split(" ");
  if (kind === "namespace" && namespace !== undefined) return [namespace];
  if (kind === "change" && changed !== undefined) return [changed];
  const touched = [...pairs, ...whole].filter((one) => pairs.length === 0 || isPair(one));
  return touched.length === 0 ? undefined : [...new Set(touched.flatMap(({ namespaces }) => namespaces))].toSorted();
}

function sum<T>(of: readonly T[], value: (one: T) => number): number {
  return of.reduce((total, one) => total + value(one), 0);
}

function idOf(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  return `s-${[...digest.subarray(0, 10)].map((byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32]).join("")}`;
}
