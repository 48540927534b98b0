import type { Plot } from "./bound.ts";
import type { Layout } from "./layout.ts";
import { ink } from "./palette.ts";
import { margin, type Sheet, sheetWidth, types } from "./sheet.ts";
import { element } from "./svg.ts";
import { day, minute, short, spanWords, windowWords } from "./words.ts";

/** Title, what is counted, and both axes. */
export function drawFrame(plot: Plot, layout: Layout, sheet: Sheet): string {
  const width = sheetWidth - 2 * margin;
  const title = sheet.fit(plot.title, types.title, { width, cut: "end" });
  const subtitle = sheet.fit(subtitleOf(plot), types.quiet, { width, cut: "end" });
  return [
    sheet.write(title, types.title, { x: margin, y: 31 }),
    sheet.write(subtitle, types.quiet, { x: margin, y: 55 }),
    countAxis(layout, sheet),
    timeAxis(layout, sheet),
  ].join("");
}

function subtitleOf({ unit, stepMs, merged, fromMs, toMs, lines, leftOut }: Plot): string {
  const highest = merged === 1 ? "" : `, the highest in ${spanWords(merged * stepMs)}`;
  return [
    `${unit} per ${spanWords(stepMs)}${highest}`,
    windowWords(fromMs, toMs),
    ...(lines.some(({ atLeast }) => atLeast) ? ["≥ at least, some were lost"] : []),
    ...(leftOut > 0 ? [`${leftOut} more not drawn`] : []),
  ].join(" · ");
}

function countAxis({ countTicks, yOf, left, right }: Layout, sheet: Sheet): string {
  const drawn = countTicks.map((tick) => {
    const y = yOf(tick);
    const colour = tick === 0 ? ink.quiet : ink.grid;
    const line = element("line", { x1: left, x2: right, y1: y, y2: y, stroke: colour, "stroke-width": 1 });
    return line + sheet.write(short(tick), types.quiet, { x: left - 8, y: y + 5, anchor: "end" });
  });
  return drawn.join("");
}

/** A label that would touch the one before it, or stand out of the picture, is left out; its tick stays. */
function timeAxis({ timeTicks, xOf, bottom }: Layout, sheet: Sheet): string {
  let free = 0;
  const drawn = timeTicks.map((tick) => {
    const x = xOf(tick);
    const line = element("line", { x1: x, x2: x, y1: bottom, y2: bottom + 5, stroke: ink.quiet, "stroke-width": 1 });
    const text = tickText(tick);
    const half = sheet.width(text, types.quiet) / 2;
    if (x - half < free || x + half > sheetWidth - 2) return line;
    free = x + half + 12;
    return line + sheet.write(text, types.quiet, { x, y: bottom + 25, anchor: "middle" });
  });
  return drawn.join("");
}

/** The day at midnight, else the time. */
function tickText(tick: number): string {
  return tick % 86_400_000 === 0 ? day(tick) : minute(tick);
}
