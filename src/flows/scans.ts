import { seriesId } from "./baselines.ts";
import type { Place } from "./place.ts";
import type { Counted } from "./spike.ts";

/** Somebody who is denied to ever more places that they never tried before, a few times each. */
export type Scan = {
  readonly from: Place;
  readonly id: number;
  /** New pairs of the last minutes: a fifth is forgotten each minute. */
  readonly fresh: number;
  /** It was taken for a scan, which it stays until it goes quiet. */
  readonly isOne: boolean;
};

const limits = { fresh: 15, quiet: 1, places: 64, mostOfOne: 5 } as const;

/**
 * What the new pairs of a minute say. `mayBe`: false for pairs that follow a change of a policy: then it is that change
 * which denies them.
 */
export function scansAfter(
  scans: readonly Scan[],
  fresh: readonly Counted[],
  mayBe: (counted: Counted) => boolean,
): readonly Scan[] {
  const known = new Map(scans.map((scan) => [scan.id, { ...scan, fresh: scan.fresh * 0.8 }]));
  for (const [id, pairs] of Map.groupBy(fresh.filter(mayBe), ({ key }) => scanId(key.from))) {
    const [first] = pairs;
    if (first === undefined || medianOf(pairs) >= limits.mostOfOne) continue;
    const before = known.get(id) ?? { from: first.key.from, id, fresh: 0, isOne: false };
    const now = before.fresh + pairs.length;
    known.set(id, { ...before, fresh: now, isOne: before.isOne || now >= limits.fresh });
  }
  return [...known.values()]
    .filter((scan) => scan.fresh >= limits.quiet)
    .toSorted((a, b) => b.fresh - a.fresh)
    .slice(0, limits.places);
}

export function scanId(from: Place): number {
  return seriesId(`scan:${JSON.stringify(from)}`);
}

function medianOf(pairs: readonly Counted[]): number {
  const counts = pairs.map(({ count }) => count).toSorted((a, b) => a - b);
  return counts[Math.floor(counts.length / 2)] ?? 0;
}
