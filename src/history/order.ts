import { type Life, orderOf, type Point, startOf } from "./lineage.ts";

/**
 * The lives in their order, each without what makes no difference: of forms in a row with the same spec the first stays,
 * which a revision brought about, and the last, which is what it was right before the next one.
 */
export function inOrder(lives: readonly Life[]): readonly Life[] {
  const ordered = lives.map(withOrder).sort((one, other) => startOf(one) - startOf(other));
  let earliest = Number.POSITIVE_INFINITY;
  const timed = ordered.toReversed().map((life) => {
    const end = life.end && { ...life.end, at: Math.min(life.end.at, earliest) };
    earliest = end?.at ?? earliest;
    const points = life.points.toReversed().map((point) => {
      earliest = Math.min(point.at, earliest);
      return { ...point, at: earliest };
    });
    return { ...life, points: collapsed(points.toReversed()), end };
  });
  return timed.toReversed();
}

/** An end that a list found is none where the object was seen later. */
function withOrder(life: Life): Life {
  const points = life.points.toSorted((one, other) => orderOf(one.resourceVersion) - orderOf(other.resourceVersion));
  const newest = orderOf(points.at(-1)?.resourceVersion ?? "");
  const isNone = life.end !== undefined && !life.end.seen && newest > orderOf(life.end.resourceVersion);
  return { ...life, points, end: isNone ? undefined : life.end };
}

function collapsed(points: readonly Point[]): readonly Point[] {
  const isSame = (point: Point, other: Point | undefined) => other?.form.spec === point.form.spec;
  return points.filter((point, index) => !isSame(point, points[index - 1]) || !isSame(point, points[index + 1]));
}
