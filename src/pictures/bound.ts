import type { DeniedPicture, PictureMark } from "./picture.ts";
import { drawable } from "./plain-text.ts";

/** What is drawn: cleaned, in the window, and no more of it than can be told apart. */
export type Plot = {
  readonly title: string;
  readonly unit: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  /** How many steps one point stands for; it shows the highest of them. */
  readonly merged: number;
  readonly lines: readonly PlotLine[];
  /** How many series there were beyond those. */
  readonly leftOut: number;
  /** By time. */
  readonly marks: readonly PictureMark[];
};

export type PlotLine = {
  readonly label: string;
  readonly atLeast: boolean;
  readonly points: readonly PlotPoint[];
  /** The highest, and the first of those; undefined where nothing is known. */
  readonly peak: KnownPoint | undefined;
};

/** `value` is a count for one step, null where nobody knows. */
export type PlotPoint = { readonly atMs: number; readonly value: number | null };
export type KnownPoint = PlotPoint & { readonly value: number };

const most = { series: 8, points: 360, marks: 1_000 } as const;

/** Throws where there is no window or no step: that is no data but a fault of ours. */
export function bound(picture: DeniedPicture): Plot {
  const { fromMs, toMs, stepMs } = picture;
  if (!(toMs > fromMs && stepMs > 0)) throw new RangeError("a picture needs a window and a step");
  const steps = Math.ceil((toMs - fromMs) / stepMs);
  const merged = Math.max(1, Math.ceil(steps / most.points));
  return {
    title: drawable(picture.title),
    unit: drawable(picture.unit),
    fromMs,
    toMs,
    stepMs,
    merged,
    lines: picture.series.slice(0, most.series).map(({ label, counts, atLeast }) => {
      const points = pointsOf(counts.slice(0, steps), picture, merged);
      return { label: drawable(label), atLeast: atLeast === true, points, peak: highest(points) };
    }),
    leftOut: Math.max(0, picture.series.length - most.series),
    marks: marksWithin(picture),
  };
}

/** Each in the middle of the time that it stands for, so that a count is not before what caused it. */
function pointsOf(counts: readonly (number | null)[], { fromMs, stepMs }: DeniedPicture, merged: number): PlotPoint[] {
  const count = Math.ceil(counts.length / merged);
  return Array.from({ length: count }, (_, at) => {
    const known = counts.slice(at * merged, (at + 1) * merged).filter(isCount);
    const value = known.length === 0 ? null : Math.max(...known);
    return { atMs: fromMs + (at + 0.5) * merged * stepMs, value };
  });
}

function isCount(value: number | null): value is number {
  return value !== null && Number.isFinite(value) && value >= 0;
}

function highest(points: readonly PlotPoint[]): KnownPoint | undefined {
  let peak: KnownPoint | undefined;
  for (const { atMs, value } of points) {
    if (value !== null && (peak === undefined || value > peak.value)) peak = { atMs, value };
  }
  return peak;
}

/** The latest ones, where there are too many. */
function marksWithin({ marks, fromMs, toMs }: DeniedPicture): readonly PictureMark[] {
  return marks
    .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
    .toSorted((a, b) => a.atMs - b.atMs)
    .slice(-most.marks)
    .map(({ what, who, id, ...mark }) => ({ ...mark, what: drawable(what), who: drawable(who), id: drawable(id) }));
}
