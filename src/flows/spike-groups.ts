import { changesBefore, type PolicyChangeAt } from "./spike.ts";
import type { PairSeries, Series } from "./spike-series.ts";

/** Series that are one matter: they follow one change, are of one namespace, or it is one alone. */
export type Group = {
  readonly name: string;
  readonly pairs: readonly PairSeries[];
  /** Series of whole namespaces. */
  readonly whole: readonly Series[];
  /** The operation of ours that cuts off all of it. */
  readonly operation?: string;
};

/** So many pairs of one namespace at once are a matter of the namespace. */
const leastTogether = 3;

type Hot = {
  readonly pairs: readonly PairSeries[];
  readonly namespaces: readonly Series[];
  /** All pairs of the minute, of which namespaces are made. */
  readonly all: readonly PairSeries[];
  readonly changes: readonly PolicyChangeAt[];
  readonly sinceMs: number;
};

export function groupsOf(hot: Hot): readonly Group[] {
  const whole = unexplained(hot);
  const names = new Map<Series, string>();
  for (const one of [...whole, ...hot.pairs]) names.set(one, nameOf(one, whole, hot));
  const groups = Map.groupBy(names, ([, name]) => name);
  return [...groups].map(([name, entries]) => {
    const series = entries.map(([one]) => one);
    return { name, pairs: series.filter(isPair), whole: series.filter((one) => !isPair(one)) };
  });
}

/** Whether it is one pair's series. */
export function isPair(series: Series): series is PairSeries {
  return "key" in series.of;
}

function nameOf(series: Series, whole: readonly Series[], { pairs, changes, sinceMs }: Hot): string {
  const [change] = changesBefore(changes, series.namespaces, sinceMs);
  if (change !== undefined) return `change ${change.id}`;
  const together = (namespace: string): number =>
    pairs.filter(({ namespaces }) => namespaces.includes(namespace)).length +
    (whole.some(({ namespaces }) => namespaces.includes(namespace)) ? leastTogether : 0);
  const [widest] = series.namespaces
    .map((namespace) => ({ namespace, count: together(namespace) }))
    .toSorted((a, b) => b.count - a.count);
  return widest !== undefined && widest.count >= leastTogether
    ? `namespace ${widest.namespace}`
    : `series ${series.id}`;
}

/**
 * Namespaces of which neither single pairs nor a namespace at the pairs' other ends explains the better part: a pair
 * counts for both its ends.
 */
function unexplained({ pairs, namespaces, all }: Hot): readonly Series[] {
  const explained = new Set<Series>(pairs);
  return namespaces
    .toSorted((a, b) => overOf(b) - overOf(a))
    .filter((one) => {
      const [namespace = ""] = one.namespaces;
      const mine = all.filter((pair) => pair.namespaces.includes(namespace));
      const left = mine.filter((pair) => overOf(pair) > 0 && !explained.has(pair));
      const { count, usual } = one.width ?? { count: 0, usual: { level: 0 } };
      const isWide = left.length > 0 && left.length >= (count - usual.level) / 2;
      if (sum(left) < overOf(one) / 2 || !isWide) return false;
      for (const pair of mine) explained.add(pair);
      return true;
    });
}

function sum(pairs: readonly Series[]): number {
  return pairs.reduce((total, pair) => total + overOf(pair), 0);
}

function overOf({ count, usual }: Series): number {
  return Math.max(0, count - usual.level);
}
