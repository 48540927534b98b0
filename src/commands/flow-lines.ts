import { type FlowKey, textOf } from "../flows/flow-key.ts";
import type { Series } from "../flows/ledger.ts";
import { asSeen, type Sees } from "./flow-sight.ts";

/** What is told in one line. */
export type FlowLine = Series & {
  /** What it is about; where several are told as one, the one of the highest count. `key` is as it may be told. */
  readonly of: FlowKey;
};

/** All that the person may be told of, highest count first: what looks the same to them is one line. */
export function linesOf(series: readonly Series[], sees: Sees): readonly FlowLine[] {
  const seen = series.flatMap((one) => {
    const key = asSeen(one.key, sees);
    return key === undefined ? [] : [lineOf(one, key)];
  });
  const alike = Map.groupBy(seen, ({ key, unit, of }) => (key === of ? of : `${unit} ${textOf(key)}`));
  return [...alike.values()].map(together).toSorted((a, b) => b.count - a.count);
}

/** Which name was asked for is known of a source that one may look at alone. */
function lineOf(series: Series, key: FlowKey): FlowLine {
  const { dnsQuery } = series;
  return { ...series, key, of: series.key, dnsQuery: key.from === series.key.from ? dnsQuery : undefined };
}

function together(lines: readonly FlowLine[]): FlowLine {
  return lines.reduce((one, other) => ({
    ...(one.count < other.count ? other : one),
    count: one.count + other.count,
    error: one.error + other.error,
    atLeast: one.atLeast || other.atLeast,
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
    steps: one.steps.map((count, at) => count + (other.steps[at] ?? 0)),
  }));
}

/** A line, and what the same was in the same time before: 0 where it is new, undefined where nothing is known of then. */
export type ComparedLine = FlowLine & { readonly before: number | undefined };

/** `before` undefined: nothing was kept of all of that time, so that nothing can be called new. */
export function compared(lines: readonly FlowLine[], before: readonly FlowLine[] | undefined): readonly ComparedLine[] {
  const known = new Map(before?.map((line) => [idOf(line), line.count]));
  return lines.map((line) => ({
    ...line,
    before: known.get(idOf(line)) ?? (before === undefined ? undefined : 0),
  }));
}

function idOf({ key, unit }: FlowLine): string {
  return `${unit} ${textOf(key)}`;
}

/** New ones first, then by how many there surely were; what only would be denied comes after what is. */
export function ranked(lines: readonly ComparedLine[]): readonly ComparedLine[] {
  const rank = ({ key, before }: ComparedLine): number => (key.class === "audited" ? 2 : 0) + (before === 0 ? 0 : 1);
  return lines.toSorted((a, b) => rank(a) - rank(b) || sure(b) - sure(a) || (idOf(a) < idOf(b) ? -1 : 1));
}

function sure({ count, error }: FlowLine): number {
  return count - error;
}
