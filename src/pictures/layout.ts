import { scaleLinear, scaleUtc } from "d3-scale";
import type { Plot } from "./bound.ts";
import { type Flag, placeFlags } from "./flags.ts";
import { legendColumns, legendRow } from "./legend.ts";
import { entryLines, listIndent } from "./mark-list.ts";
import { margin, type Sheet, sheetWidth, types } from "./sheet.ts";
import { moment, short } from "./words.ts";

/** A lane of letters above the plot, and the symbol in front of a letter. */
export const laneHeight = 22;
export const symbolRoom = 14;

const plotHeight = 214;
const lanesTop = 66;
const mostLanes = 4;
/** As many as lines: a list of more nobody reads. */
const mostFlags = 8;

/** Where everything is, in units of the SVG. */
export type Layout = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly lanesBottom: number;
  readonly legendTop: number;
  readonly height: number;
  readonly columns: 1 | 2;
  readonly flags: readonly Flag[];
  /** For each flag its lines in the list below the legend, which begins at `listTop`. */
  readonly entries: readonly (readonly string[])[];
  readonly listTop: number;
  readonly xOf: (atMs: number) => number;
  readonly yOf: (count: number) => number;
  /** Milliseconds since the epoch; counts. */
  readonly timeTicks: readonly number[];
  readonly countTicks: readonly number[];
};

/** Lays out the plot below as many lanes of letters as there are marks to be told apart, and below it the legend and what the letters mean. */
export function layOut(plot: Plot, sheet: Sheet): Layout {
  const counts = countScale(plot);
  const left = margin + 8 + Math.max(...counts.ticks.map((tick) => sheet.width(short(tick), types.quiet)));
  const right = sheetWidth - margin - 8;
  const time = scaleUtc().domain([plot.fromMs, plot.toMs]).range([left, right]).clamp(true);
  const xOf = (atMs: number): number => time(atMs);
  const timeOf = (atMs: number): string => moment(atMs, plot.fromMs, plot.toMs);
  const flagWidth = symbolRoom + sheet.width("W", types.strong);
  const flags = placeFlags(plot.marks, { right, lanes: mostLanes, most: mostFlags, width: flagWidth, xOf });
  const listRoom = { width: sheetWidth - 2 * margin - listIndent.text, timeOf };
  const entries = flags.map((flag) => entryLines(flag, listRoom, sheet));
  const lanesBottom = lanesTop + laneHeight * Math.max(0, ...flags.map(({ lane }) => lane + 1));
  const top = lanesBottom + 10;
  const bottom = top + plotHeight;
  const columns = legendColumns(plot.lines, sheet);
  const legendTop = bottom + 56;
  const listTop = legendTop + Math.ceil(plot.lines.length / columns) * legendRow + (plot.lines.length > 0 ? 6 : 0);
  return {
    left,
    right,
    top,
    bottom,
    lanesBottom,
    legendTop,
    columns,
    flags,
    entries,
    listTop,
    xOf,
    height: Math.ceil(listTop + entries.flat().length * legendRow),
    yOf: (count) => bottom - (count / counts.highest) * plotHeight,
    timeTicks: time.ticks(8).map((tick) => tick.getTime()),
    countTicks: counts.ticks,
  };
}

/** From 0, so that twice as high is twice as many; whole numbers only. */
function countScale({ lines }: Plot): { readonly highest: number; readonly ticks: readonly number[] } {
  const peak = Math.max(1, ...lines.map((line) => line.peak?.value ?? 0));
  const scale = scaleLinear().domain([0, peak]).nice(4);
  const ticks = scale.ticks(4).filter(Number.isInteger);
  return { highest: scale.domain()[1] ?? peak, ticks: ticks.length > 0 ? ticks : [0, peak] };
}
