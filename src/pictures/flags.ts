import type { PictureMark } from "./picture.ts";

/** One mark, or several that share a letter because there was no room for each. */
export type Flag = {
  readonly marks: readonly PictureMark[];
  /** `A`, `B` and so on by time: what was done stands beside it below the plot. */
  readonly letter: string;
  /** Where the first of its marks is, in units of the SVG. */
  readonly x: number;
  /** Where its symbol and letter begin; `lane` 0 is the lowest. */
  readonly left: number;
  readonly lane: number;
  /** They stand left of the mark, with the symbol at their end: on the right there is no room. */
  readonly flipped: boolean;
};

export type FlagRoom = {
  readonly right: number;
  readonly lanes: number;
  /** So many flags at most, 26 or fewer. */
  readonly most: number;
  /** Of a symbol and its letter, units of the SVG. */
  readonly width: number;
  readonly xOf: (atMs: number) => number;
};

const gap = 6;

/**
 * Letters for marks, in lanes above the plot: no two of them overlap. An earlier one lies above the later ones beside it,
 * so that their lines do not run through it. Where there is too little room the nearest marks share a letter, those of
 * one kind first; a spike keeps its own as long as it can.
 */
export function placeFlags(marks: readonly PictureMark[], room: FlagRoom): readonly Flag[] {
  let groups: readonly (readonly PictureMark[])[] = marks.toSorted((a, b) => a.atMs - b.atMs).map((mark) => [mark]);
  for (;;) {
    const flags = groups.length <= room.most ? inLanes(groups, room) : undefined;
    if (flags !== undefined || groups.length <= 1) return flags ?? [];
    groups = withNearestJoined(groups, room);
  }
}

type Group = readonly PictureMark[];

/** From right to left; undefined where there are too few lanes. */
function inLanes(groups: readonly Group[], room: FlagRoom): readonly Flag[] | undefined {
  const placed: Flag[] = [];
  for (const [at, group] of [...groups.entries()].toReversed()) {
    const flag = flagOf(group, letters.charAt(at), room);
    const lane = laneFor(flag, placed, room);
    if (lane >= room.lanes) return undefined;
    placed.unshift({ ...flag, lane });
  }
  return placed;
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function flagOf(marks: Group, letter: string, { xOf, width, right }: FlagRoom): Omit<Flag, "lane"> {
  const x = xOf(marks[0]?.atMs ?? 0);
  const flipped = x + width > right;
  return { marks, letter, x, left: flipped ? x - width : x, flipped };
}

/** The lowest that is free and above the later flags whose lines would run through it. */
function laneFor(flag: Omit<Flag, "lane">, placed: readonly Flag[], { width }: FlagRoom): number {
  const end = flag.left + width + gap;
  const beside = placed.filter((other) => other.left < end && flag.left < other.left + width + gap);
  const crossing = placed.filter(({ x }) => x > flag.x && x < end).map(({ lane }) => lane);
  const taken = new Set(beside.map(({ lane }) => lane));
  let lane = Math.max(-1, ...crossing) + 1;
  while (taken.has(lane)) lane += 1;
  return lane;
}

function withNearestJoined(groups: readonly Group[], { xOf }: FlagRoom): readonly Group[] {
  let best = { at: 0, cost: Infinity };
  for (let at = 0; at + 1 < groups.length; at += 1) {
    const [one, other] = [groups[at] ?? [], groups[at + 1] ?? []];
    const cost = xOf(other.at(-1)?.atMs ?? 0) - xOf(one[0]?.atMs ?? 0) + strangeness(one, other);
    if (cost < best.cost) best = { at, cost };
  }
  const joined = [...(groups[best.at] ?? []), ...(groups[best.at + 1] ?? [])];
  return [...groups.slice(0, best.at), joined, ...groups.slice(best.at + 2)];
}

/** What it costs to put different kinds together, in units of the SVG. */
function strangeness(one: Group, other: Group): number {
  const kinds = new Set([...one, ...other].map(({ kind }) => kind));
  if (kinds.size === 1) return 0;
  return kinds.has("spike") ? 10_000 : 150;
}
