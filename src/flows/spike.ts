import type { FlowKey } from "./flow-key.ts";
import type { Place } from "./place.ts";

/** What was counted of one key in a minute: `count` is what is certain of it, Space-Saving's error taken off. */
export type Counted = { readonly key: FlowKey; readonly count: number; readonly atLeast: boolean };

/** A change of a policy: by the id of its revision. Without a namespace it holds for the whole cluster. */
export type PolicyChangeAt = { readonly id: string; readonly namespace: string | undefined; readonly atMs: number };

/** One minute of one cluster. */
export type CountedMinute = {
  readonly minuteMs: number;
  readonly counted: readonly Counted[];
  /** False: no source told anything then. Silence is unknown, and no zero. */
  readonly isHeard: boolean;
  /** of the last ten minutes, in any order. */
  readonly changes: readonly PolicyChangeAt[];
  readonly isMuted: (key: FlowKey) => boolean;
  readonly cut: Cut;
};

/** What operations of ours cut off on purpose. */
export type Cut = {
  /** Ids of those in force in that minute. */
  readonly inForce: ReadonlySet<string>;
  /** The id of the one that cuts this off, where one does. */
  readonly by: (key: FlowKey) => string | undefined;
};

export const nothingCut: Cut = { inForce: new Set(), by: () => undefined };

/** What a spike is about. */
export type SpikeSubject =
  | { readonly kind: "pair"; readonly key: FlowKey }
  | { readonly kind: "namespaces"; readonly namespaces: readonly string[] }
  /** Somebody who is denied to many who never heard of them. */
  | { readonly kind: "scan"; readonly from: Place };

/** So much more is denied than usual that somebody should hear of it. Told once. */
export type Spike = {
  /** `s-…`, the same for the same subject and beginning. */
  readonly id: string;
  readonly cluster: string;
  /** `new`: of what was hardly ever denied before, there is no usual. `expected`: `operation` cuts it off. */
  readonly kind: "spike" | "new" | "scan" | "expected";
  readonly operation?: string;
  readonly subject: SpikeSubject;
  /** All that it touches, sorted. Whoever owns one of them hears of it. */
  readonly namespaces: readonly string[];
  /** The first minute above the limit, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Of the minute with the most so far, and what is usual in such a minute. */
  readonly perMinute: number;
  readonly usual: number;
  /** Counts are lower bounds. */
  readonly atLeast: boolean;
  /** The pairs with the most, at most `mostPairs`, the highest first; and how many there are. */
  readonly pairs: readonly Counted[];
  readonly pairCount: number;
  /** Changes of policies shortly before its beginning, in those namespaces, the latest first. */
  readonly follows: readonly PolicyChangeAt[];
};

/**
 * `quiet`: below what made it a spike, since then. `usual`: it went on for a day, and counts as usual now. `lifted`: the operation
 * that cut it off is in force no more.
 */
export type SpikeEnd = { readonly spike: Spike; readonly why: "quiet" | "usual" | "lifted"; readonly sinceMs: number };

export const mostPairs = 5;

/** What came so long after a change of a policy follows it. */
const followsMs = 10 * 60_000;

/** The namespaces of a key's ends, one or two or none. */
export function namespacesOf({ from, to }: Pick<FlowKey, "from" | "to">): readonly string[] {
  const named = [from, to].flatMap((place) => (place.kind === "workload" ? [place.namespace] : []));
  return [...new Set(named)];
}

/**
 * Changes that something which began in that minute may follow: of these namespaces or of all, not too long before the
 * minute's end, the latest first.
 */
export function changesBefore(
  changes: readonly PolicyChangeAt[],
  namespaces: readonly string[],
  minuteMs: number,
): readonly PolicyChangeAt[] {
  return changes
    .filter(({ atMs }) => atMs < minuteMs + 60_000 && atMs >= minuteMs - followsMs)
    .filter(({ namespace }) => namespace === undefined || namespaces.includes(namespace))
    .toSorted((a, b) => b.atMs - a.atMs);
}
