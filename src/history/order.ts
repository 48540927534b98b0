import { type Life, orderOf, type Point, startOf } from "./lineage.ts";

/**
 * The lives in their order, each without what makes no difference: of forms in a row with the same spec, of which a watch saw
 * every step, the first stays, which a revision brought about, and the last, which is what it was right before the next one.
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

/** Replicas that lag, or were away, have told by then what they saw, milliseconds. */
const toldWithinMs = 3_600_000;

/**
 * A form between two others of its spec makes a difference for as long as somebody may still tell of another spec between
 * them: not where a watch saw every step, which the later one then says of the earlier one, and not for ever.
 */
function collapsed(points: readonly Point[]): readonly Point[] {
  const settled = (points.at(-1)?.at ?? 0) - toldWithinMs;
  const kept: Point[] = [];
  for (const point of points) {
    const [first, middle] = kept.slice(-2);
    const isBetween = first !== undefined && middle !== undefined && isSame(first, middle) && isSame(middle, point);
    const isSeen = isBetween && isAllSeen(first, middle, point);
    if (isSeen || (isBetween && middle.at < settled)) kept.pop();
    kept.push(isSeen ? { ...point, after: first.resourceVersion } : point);
  }
  return kept;
}

function isSame(one: Point, other: Point): boolean {
  return one.form.spec === other.form.spec;
}

function isAllSeen(first: Point, middle: Point, last: Point): boolean {
  return follows(last, first) || (follows(last, middle) && follows(middle, first));
}

/** Whether a watch saw every step from that one, or from one before it. */
function follows({ after }: Point, { resourceVersion }: Point): boolean {
  return after !== undefined && orderOf(after) <= orderOf(resourceVersion);
}
