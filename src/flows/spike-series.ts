import { type Bar, type Moment, recentWith, rowOf, type Usual, usualOf } from "./baseline.ts";
import { type Baselines, get, seriesId, set } from "./baselines.ts";
import { textOf } from "./flow-key.ts";
import { type Counted, namespacesOf } from "./spike.ts";

/** A series in one minute: of a pair, or of all that is denied from or to a namespace. */
export type Series = {
  readonly id: number;
  readonly of: Counted | { readonly namespace: string };
  readonly namespaces: readonly string[];
  readonly count: number;
  /** The mean of the last minutes by which it is judged (recentWith): in a minute after the highest it is more than `count`. */
  readonly recent: number;
  /** With what is told already and what is muted: it counts for the hour of the day. */
  readonly full: number;
  readonly usual: Usual;
  /** Of a namespace: how many pairs were denied. A change that denies many a little shows here first. */
  readonly width?: { readonly id: number; readonly count: number; readonly usual: Usual };
  /** For how many minutes in a row it is above its limit. */
  readonly hot: number;
};

export type PairSeries = Series & { readonly of: Counted };

/** A pair of a minute, with the id of its series. */
export type Known = { readonly id: number; readonly of: Counted };

const bars = {
  pair: { least: 30, times: 3 },
  namespace: { least: 60, times: 2 },
  width: { least: 10, times: 1.5 },
} as const;

/** The series of pairs, judged; beside the table with their rows. */
export function pairSeries(
  table: Baselines,
  counted: readonly Known[],
  at: Moment,
): { readonly table: Baselines; readonly series: readonly PairSeries[] } {
  let grown = table;
  const series: PairSeries[] = [];
  for (const { id, of } of counted) {
    const judged = judge(grown, { id, count: of.count, bar: bars.pair }, at);
    grown = judged.table;
    series.push({ id, of, namespaces: namespacesOf(of.key), count: of.count, full: of.count, ...judged.verdict });
  }
  return { table: grown, series };
}

/** How much of a pair counts for its namespaces, now and for the hour of the day. */
export type Weight = { readonly count: number; readonly full: number };

/** The series of namespaces. `weigh`: of a pair; a count of nothing: it is no part of the width either. */
export function namespaceSeries(
  table: Baselines,
  pairs: readonly PairSeries[],
  at: Moment,
  weigh: (pair: PairSeries) => Weight,
): { readonly table: Baselines; readonly series: readonly Series[] } {
  const sums = new Map<string, Sums>();
  for (const pair of pairs) {
    const weight = weigh(pair);
    for (const namespace of pair.namespaces) {
      const { count, full, width } = sums.get(namespace) ?? { count: 0, full: 0, width: 0 };
      sums.set(namespace, {
        count: count + weight.count,
        full: full + weight.full,
        width: width + (weight.count > 0 ? 1 : 0),
      });
    }
  }
  let grown = table;
  const series: Series[] = [];
  for (const [namespace, { count, full, width }] of sums) {
    const [id, wideId] = [seriesId(`namespace:${namespace}`), seriesId(`width:${namespace}`)];
    const total = judge(grown, { id, count, bar: bars.namespace }, at);
    const wide = judge(total.table, { id: wideId, count: width, bar: bars.width }, at);
    grown = wide.table;
    series.push({
      id,
      of: { namespace },
      namespaces: [namespace],
      count,
      recent: total.verdict.recent,
      full,
      usual: total.verdict.usual,
      width: { id: wideId, count: width, usual: wide.verdict.usual },
      hot: Math.max(total.verdict.hot, wide.verdict.hot),
    });
  }
  return { table: grown, series };
}

type Sums = { readonly count: number; readonly full: number; readonly width: number };

export function identified(counted: readonly Counted[]): readonly Known[] {
  return counted.map((of) => ({ id: seriesId(textOf(of.key)), of }));
}

/** Of the minute with the most, as far as that is known: of those before the newest their mean alone is. */
export function mostOf({ count, recent }: Series): number {
  return Math.max(count, Math.round(recent));
}

/** The pair with that count. */
export function countedOf(series: PairSeries): Counted {
  return { ...series.of, count: mostOf(series) };
}

type Judged = { readonly table: Baselines; readonly verdict: Pick<Series, "usual" | "recent" | "hot"> };
type Row = { readonly id: number; readonly count: number; readonly bar: Bar };

/** A row that was not seen in the minute before begins its minutes in a row anew. */
function judge(table: Baselines, { id, count, bar }: Row, at: Moment): Judged {
  const usual = usualOf(table, table.rows.get(id), at, bar);
  const { table: grown, row } = rowOf(table, id, at.tick);
  const before = get(grown, row, "tick") === at.tick - 1 ? get(grown, row, "hot") : 0;
  const recent = recentWith(grown, row, at, count);
  const hot = recent > usual.limit ? before + 1 : 0;
  set(grown, row, "hot", hot);
  return { table: grown, verdict: { usual, recent, hot } };
}
