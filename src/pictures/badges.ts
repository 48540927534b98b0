import type { PlotPoint } from "./bound.ts";

export type Spot = { readonly x: number; readonly y: number };

export type BadgeRoom = {
  readonly radius: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Where a point is, in units of the SVG. */
  readonly spotOf: (atMs: number, value: number) => Spot;
};

/**
 * Where each line bears its number: on its highest point, or the next highest where other numbers leave room; undefined
 * where there is none, as for a line without points. No two numbers touch.
 */
export function placeBadges(lines: readonly (readonly PlotPoint[])[], room: BadgeRoom): readonly (Spot | undefined)[] {
  const taken: Spot[] = [];
  return lines.map((points) => {
    const known = points.flatMap(({ atMs, value }) => (value === null ? [] : [{ atMs, value }]));
    const spots = known
      .toSorted((a, b) => b.value - a.value || a.atMs - b.atMs)
      .map(({ atMs, value }) => within(room.spotOf(atMs, value), room));
    const spot = spots.find((candidate) => taken.every((other) => apart(candidate, other) > 2 * room.radius + 2));
    if (spot !== undefined) taken.push(spot);
    return spot;
  });
}

function within({ x, y }: Spot, { radius, left, right, top, bottom }: BadgeRoom): Spot {
  const clamp = (value: number, from: number, to: number): number =>
    Math.min(to - radius, Math.max(from + radius, value));
  return { x: clamp(x, left, right), y: clamp(y, top, bottom) };
}

/** By the larger of both distances, as boxes have it. */
function apart(one: Spot, other: Spot): number {
  return Math.max(Math.abs(one.x - other.x), Math.abs(one.y - other.y));
}
