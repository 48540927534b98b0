import { type Scan, scanId } from "./scans.ts";
import type { Counted, CountedMinute } from "./spike.ts";
import type { Episode } from "./spike-episodes.ts";
import { type Group, isPair } from "./spike-groups.ts";
import type { PairSeries, Series } from "./spike-series.ts";

/**
 * What operations of ours cut off, by operation, where it is above its limit and not told. One minute is enough: nobody is
 * called by it.
 */
export function groupsCut(
  pairs: readonly PairSeries[],
  episodes: readonly Episode[],
  { cut, isMuted }: CountedMinute,
): readonly Group[] {
  const told = new Set(episodes.flatMap(({ watched }) => watched.map(({ id }) => id)));
  const high = pairs.filter(({ id, count, usual, of }) => count > usual.limit && !told.has(id) && !isMuted(of.key));
  return [...Map.groupBy(high, ({ of }) => cut.by(of.key))].flatMap(([operation, its]) =>
    operation === undefined ? [] : [{ name: `operation ${operation}`, pairs: its, whole: [], operation }],
  );
}

/** Whether an operation of ours cuts it off: it is no spike then, whatever is denied. */
export function isCut(series: Series, { cut }: CountedMinute): boolean {
  return isPair(series) && cut.by(series.of.key) !== undefined;
}

/** Whether all that it tried in this minute was cut off so. */
export function isScanCut({ id }: Scan, { counted, cut }: CountedMinute): boolean {
  const isIts = ({ key }: Counted): boolean => scanId(key.from) === id;
  return cut.inForce.size > 0 && counted.filter(isIts).every(({ key }) => cut.by(key) !== undefined);
}
