import type { PictureMark } from "./picture.ts";
import { markWords } from "./words.ts";

/** One mark, or several that share a label because there was no room for each. */
export type Flag = {
  readonly marks: readonly PictureMark[];
  readonly text: string;
  /** Where the first of its marks is, in units of the SVG. */
  readonly x: number;
  /** Where its label begins; `lane` 0 is the lowest. */
  readonly left: number;
  readonly width: number;
  readonly lane: number;
  /** Its label stands left of the mark, with the symbol at its end: on the right there is no room. */
  readonly flipped: boolean;
};

export type FlagRoom = {
  readonly left: number;
  readonly right: number;
  readonly lanes: number;
  readonly xOf: (atMs: number) => number;
  /** How a time is written. */
  readonly timeOf: (atMs: number) => string;
  /** The text as it fits, and its width with whatever stands in front of it. */
  readonly measure: (text: string) => { readonly text: string; readonly width: number };
};

const gap = 10;
/** So many labels are tried at most; measuring more of them would take its time. */
const mostTried = 24;

/**
 * Labels for marks, in lanes above the plot: no two of them overlap. An earlier one lies above the later ones beside it,
 * so that their lines do not run through it. Where the lanes do not suffice the nearest marks share a label, those of
 * one kind first; a spike keeps its own as long as it can.
 */
export function placeFlags(marks: readonly PictureMark[], room: FlagRoom): readonly Flag[] {
  let groups: readonly (readonly PictureMark[])[] = marks.toSorted((a, b) => a.atMs - b.atMs).map((mark) => [mark]);
  while (groups.length > mostTried) groups = withNearestJoined(groups, room);
  for (;;) {
    const flags = inLanes(groups, room);
    if (flags !== undefined || groups.length <= 1) return flags ?? [];
    groups = withNearestJoined(groups, room);
  }
}

type Group = readonly PictureMark[];

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

/** From right to left; undefined where there are too few lanes. */
function inLanes(groups: readonly Group[], room: FlagRoom): readonly Flag[] | undefined {
  const placed: Flag[] = [];
  for (const group of groups.toReversed()) {
    const flag = flagOf(group, room);
    const lane = laneFor(flag, placed);
    if (lane >= room.lanes) return undefined;
    placed.unshift({ ...flag, lane });
  }
  return placed;
}

function flagOf(marks: Group, room: FlagRoom): Omit<Flag, "lane"> {
  const { text, width } = room.measure(labelOf(marks, room));
  const x = room.xOf(marks[0]?.atMs ?? 0);
  const flipped = x + width > room.right;
  const left = flipped ? Math.min(Math.max(room.left, x - width), room.right - width) : x;
  return { marks, text, x, width, left, flipped };
}

/** The lowest that is free and above the later flags whose lines would run through it. */
function laneFor(flag: Omit<Flag, "lane">, placed: readonly Flag[]): number {
  const end = flag.left + flag.width + gap;
  const beside = placed.filter((other) => other.left < end && flag.left < other.left + other.width + gap);
  const crossing = placed.filter(({ x }) => x > flag.x && x < end).map(({ lane }) => lane);
  const taken = new Set(beside.map(({ lane }) => lane));
  let lane = Math.max(-1, ...crossing) + 1;
  while (taken.has(lane)) lane += 1;
  return lane;
}

function labelOf(marks: Group, { timeOf }: FlagRoom): string {
  const [first] = marks;
  if (first === undefined) return "";
  if (marks.length === 1) return `${timeOf(first.atMs)} ${first.label || markWords(first.kind, 1)}`;
  const kinds = [...new Set(marks.map(({ kind }) => kind))];
  const counts = kinds.map((kind) => {
    const count = marks.filter((mark) => mark.kind === kind).length;
    return count === 1 ? `1 ${markWords(kind, 1)}` : markWords(kind, count);
  });
  const [from, to] = [timeOf(first.atMs), timeOf(marks.at(-1)?.atMs ?? 0)];
  return `${from === to ? from : `${from}–${to}`} ${counts.join(", ")}`;
}
