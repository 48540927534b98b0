import { type Bucket, type Entry, entriesOf, lossesOf } from "./bucket.ts";
import { textOf } from "./flow-key.ts";
import type { LedgerQuery, LedgerView, Loss, Series } from "./ledger.ts";
import { foldPorts } from "./port-fold.ts";

/** A bucket, and since when it counts: milliseconds since the epoch. */
export type Timed = { readonly startMs: number; readonly bucket: Bucket };

type Told = Pick<LedgerView, "sinceMs" | "lastHeardMs" | "stepMs">;

/** So many keys are merged; more is more than anybody looks at, and what is lowest goes. */
const mostKeys = 20_000;

/** The same answer whatever the order and the division of the buckets. */
export function createView(query: LedgerQuery, stepMs: number) {
  const merged = new Map<string, Merged>();
  const losses = new Map<string, Loss>();
  const steps = Math.max(1, Math.ceil((query.toMs - query.fromMs) / stepMs));
  let dropped = 0;

  return {
    add({ startMs, bucket }: Timed): void {
      const step = Math.min(steps - 1, Math.max(0, Math.floor((startMs - query.fromMs) / stepMs)));
      for (const entry of entriesOf(bucket)) merge(merged, entry, { step, steps });
      for (const [kind, count] of lossesOf(bucket)) {
        const key = `${kind} ${startMs}`;
        const before = losses.get(key)?.count ?? 0;
        losses.set(key, { cluster: query.cluster, minuteMs: startMs, kind, count: before + count });
      }
      if (merged.size > 2 * mostKeys) dropped += trim(merged);
    },
    view(told: Omit<Told, "stepMs">): LedgerView {
      const all: Loss[] = [...losses.values()].toSorted((a, b) => a.minuteMs - b.minuteMs || order(a.kind, b.kind));
      if (dropped > 0) all.push({ cluster: query.cluster, minuteMs: query.fromMs, kind: "evicted", count: dropped });
      return { ...told, series: seriesOf([...merged.values()]), stepMs, losses: all };
    },
  };
}

type Merged = { -readonly [Field in keyof Series]: Series[Field] } & { steps: number[] };

function merge(merged: Map<string, Merged>, entry: Entry, at: { readonly step: number; readonly steps: number }): void {
  const found = merged.get(entry.text);
  const { key, unit, dnsQuery } = entry;
  const into = found ?? { key, unit, ...nothing(at.steps), dnsQuery };
  if (found === undefined) merged.set(entry.text, into);
  join(into, entry);
  into.steps[at.step] = (into.steps[at.step] ?? 0) + entry.count;
}

function nothing(steps: number) {
  const times = { firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY };
  return { count: 0, error: 0, atLeast: false, ...times, steps: Array.from({ length: steps }, () => 0) };
}

/** Of two names that were asked for, the latest; of one moment, the one that sorts first. */
function join(into: Merged, more: Omit<Entry, "text" | "key" | "unit">): void {
  const isLater =
    more.lastMs > into.lastMs || (more.lastMs === into.lastMs && (more.dnsQuery ?? "") < (into.dnsQuery ?? ""));
  if (more.dnsQuery !== undefined && (isLater || into.dnsQuery === undefined)) into.dnsQuery = more.dnsQuery;
  into.count += more.count;
  into.error += more.error;
  into.atLeast ||= more.atLeast;
  into.firstMs = Math.min(into.firstMs, more.firstMs);
  into.lastMs = Math.max(into.lastMs, more.lastMs);
}

/** Answers how much was counted of what goes. */
function trim(merged: Map<string, Merged>): number {
  const lowest = [...merged].toSorted(([a, one], [b, other]) => compare(one, other) || order(a, b)).slice(mostKeys);
  for (const [text] of lowest) merged.delete(text);
  return lowest.reduce((sum, [, { count }]) => sum + count, 0);
}

function seriesOf(all: readonly Merged[]): readonly Series[] {
  const keyOf = foldPorts(all.filter(({ key }) => key.class === "denied" || key.class === "audited"));
  const folded = new Map<string, Merged>();
  for (const one of all) {
    const key = keyOf(one);
    const text = `${textOf(key)}\t${one.unit}`;
    const into = folded.get(text);
    if (into === undefined) folded.set(text, { ...one, key });
    else {
      join(into, one);
      into.steps = into.steps.map((count, step) => count + (one.steps[step] ?? 0));
    }
  }
  return [...folded]
    .toSorted(([a, one], [b, other]) => compare(one, other) || order(a, b))
    .slice(0, mostKeys)
    .map(([, series]) => series);
}

function compare(a: Series, b: Series): number {
  return b.count - b.error - (a.count - a.error) || b.count - a.count;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
