import { type Entry, oneName } from "./bucket.ts";
import { keyOfText, textOf } from "./flow-key.ts";
import type { LedgerQuery, LedgerView, Loss, Series } from "./ledger.ts";
import { foldPorts } from "./port-fold.ts";
import type { FlowUnit } from "./record.ts";

/** What was counted since `startMs`, milliseconds since the epoch. Keys are in the entries' texts (entryText). */
export type Timed = {
  readonly startMs: number;
  readonly entries: Iterable<CountedEntry>;
  readonly losses: Iterable<readonly [Loss["kind"], number]>;
};

export type CountedEntry = Omit<Entry, "key" | "unit">;

type Told = Pick<LedgerView, "sinceMs" | "lastHeardMs">;

/** So many keys are merged; more is more than anybody looks at, and what is lowest goes. */
const mostKeys = 20_000;

/** The same answer whatever the division of what is added; and whatever its order, as long as there are no more keys than that. */
export function createView(query: LedgerQuery, stepMs: number, keyOf = keyOfText) {
  const { cluster, fromMs, toMs } = query;
  const merged = new Map<string, Merged>();
  const losses = new Map<string, Loss>();
  const steps = Math.max(1, Math.ceil((toMs - fromMs) / stepMs));
  let dropped = 0;

  return {
    add({ startMs, entries, losses: lost }: Timed): void {
      const step = Math.min(steps - 1, Math.max(0, Math.floor((startMs - fromMs) / stepMs)));
      for (const entry of entries) merge(merged, entry, step);
      for (const [kind, count] of lost) {
        const key = `${kind} ${startMs}`;
        losses.set(key, { cluster, minuteMs: startMs, kind, count: count + (losses.get(key)?.count ?? 0) });
      }
      if (merged.size > 2 * mostKeys) dropped += trim(merged);
    },
    view(told: Told): LedgerView {
      dropped += trim(merged);
      const all: Loss[] = [...losses.values()].toSorted((a, b) => a.minuteMs - b.minuteMs || order(a.kind, b.kind));
      if (dropped > 0) all.push({ cluster, minuteMs: fromMs, kind: "evicted", count: dropped });
      return { ...told, series: seriesOf(merged, steps, keyOf), stepMs, losses: all };
    },
  };
}

/** `stepped`: a step and what was counted in it, in turn; most keys have few steps of many. */
type Merged = Pick<CountedEntry, "dnsQuery"> & {
  -readonly [Field in keyof Omit<CountedEntry, "text">]: CountedEntry[Field];
} & { readonly stepped: number[] };

function merge(merged: Map<string, Merged>, entry: CountedEntry, step: number): void {
  const { text, count, error, atLeast, firstMs, lastMs, dnsQuery } = entry;
  const into = merged.get(text);
  if (into === undefined)
    merged.set(text, { count, error, atLeast, firstMs, lastMs, dnsQuery, stepped: [step, count] });
  else {
    join(into, entry);
    into.stepped.push(step, count);
  }
}

function join(into: Omit<Merged, "stepped">, more: Omit<Merged, "stepped">): void {
  into.dnsQuery = oneName(into.dnsQuery, more.dnsQuery);
  into.count += more.count;
  into.error += more.error;
  into.atLeast ||= more.atLeast;
  into.firstMs = Math.min(into.firstMs, more.firstMs);
  into.lastMs = Math.max(into.lastMs, more.lastMs);
}

/** Answers how much was counted of what goes. */
function trim(merged: Map<string, Merged>): number {
  if (merged.size <= mostKeys) return 0;
  const lowest = [...merged].toSorted(([a, one], [b, other]) => compare(one, other) || order(a, b)).slice(mostKeys);
  for (const [text] of lowest) merged.delete(text);
  return lowest.reduce((sum, [, { count }]) => sum + count, 0);
}

type Writable = { -readonly [Field in keyof Series]: Series[Field] } & { readonly steps: number[] };

function seriesOf(merged: ReadonlyMap<string, Merged>, steps: number, keyOf: typeof keyOfText): readonly Series[] {
  const all = [...merged].flatMap(([text, one]) => writable(text, one, { steps, keyOf }));
  const folded = foldPorts(all.filter(({ key }) => key.class === "denied" || key.class === "audited"));
  const byText = new Map<string, Writable>();
  for (const one of all) {
    const key = folded(one);
    const text = `${textOf(key)}\t${one.unit}`;
    const into = byText.get(text);
    if (into === undefined) byText.set(text, { ...one, key });
    else {
      join(into, one);
      for (const [step, count] of one.steps.entries()) into.steps[step] = (into.steps[step] ?? 0) + count;
    }
  }
  return [...byText].toSorted(([a, one], [b, other]) => compare(one, other) || order(a, b)).map(([, series]) => series);
}

type Reading = { readonly steps: number; readonly keyOf: typeof keyOfText };

/** Nothing for a key that this release cannot read. */
function writable(text: string, merged: Merged, { steps: many, keyOf }: Reading): readonly Writable[] {
  const [keyText = "", unit = ""] = text.split("\t");
  const key = keyOf(keyText);
  if (key === undefined) return [];
  const { stepped, ...counted } = merged;
  const steps = Array.from({ length: many }, () => 0);
  for (let at = 0; at < stepped.length; at += 2) {
    const step = stepped[at] ?? 0;
    steps[step] = (steps[step] ?? 0) + (stepped[at + 1] ?? 0);
  }
  return [{ ...counted, key, unit: unit as FlowUnit, steps }];
}

function compare(a: Pick<Series, "count" | "error">, b: Pick<Series, "count" | "error">): number {
  return b.count - b.error - (a.count - a.error) || b.count - a.count;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
