import { line } from "d3-shape";
import { placeBadges, type Spot } from "./badges.ts";
import type { Plot, PlotLine, PlotPoint } from "./bound.ts";
import type { Layout } from "./layout.ts";
import { background, type LineStyle, lineStyles } from "./palette.ts";
import { type Sheet, types } from "./sheet.ts";
import { element } from "./svg.ts";

const badgeRadius = 9.5;

/** The lines, the one with most denials on top, each with its number of the legend on it; gaps where nothing is known. */
export function drawLines(plot: Plot, layout: Layout, sheet: Sheet): string {
  const { lines } = plot;
  if (lines.every(({ peak }) => peak === undefined || peak.value === 0)) return drawNothing(layout, sheet, lines);
  const drawn = lines.map(({ points }, rank) => drawLine(points, styleOf(rank), layout));
  const spotOf = (atMs: number, value: number): Spot => ({ x: layout.xOf(atMs), y: layout.yOf(value) });
  const { left, right, top, bottom } = layout;
  const room = { radius: badgeRadius, left, right, top: top - 4, bottom: bottom + 2, spotOf };
  const badges = placeBadges(
    lines.map(({ points }) => points),
    room,
  ).map((spot, rank) => {
    return spot === undefined ? "" : drawBadge(rank, spot, sheet);
  });
  return [...drawn.toReversed(), ...badges].join("");
}

export function styleOf(rank: number): LineStyle {
  return lineStyles[rank % lineStyles.length] ?? { colour: "#000000", dashes: "" };
}

/** A line's number in the legend, as it stands on the line. */
export function drawBadge(rank: number, { x, y }: Spot, sheet: Sheet): string {
  const { colour } = styleOf(rank);
  const circle = { cx: x, cy: y, r: badgeRadius - 1, fill: background, stroke: colour, "stroke-width": 2 };
  const number = sheet.write(String(rank + 1), types.badge, { x, y: y + 4.6, anchor: "middle" });
  return element("circle", circle) + number;
}

function drawNothing({ left, right, top, bottom }: Layout, sheet: Sheet, lines: readonly PlotLine[]): string {
  const known = lines.some(({ peak }) => peak !== undefined);
  const text = known ? "Nothing was denied in this time." : "Nothing is known of this time.";
  return sheet.write(text, types.normal, { x: (left + right) / 2, y: (top + bottom) / 2, anchor: "middle" });
}

function drawLine(points: readonly PlotPoint[], { colour, dashes }: LineStyle, layout: Layout): string {
  const path = line<PlotPoint>()
    .defined(({ value }) => value !== null)
    .x(({ atMs }) => layout.xOf(atMs))
    .y(({ value }) => layout.yOf(value ?? 0))
    .digits(1);
  const stroke = { fill: "none", stroke: colour, "stroke-width": 2.4, "stroke-linejoin": "round" };
  const lone = points.filter((point, at) => point.value !== null && isAlone(points, at));
  const dots = lone.map(({ atMs, value }) => {
    return element("circle", { cx: layout.xOf(atMs), cy: layout.yOf(value ?? 0), r: 3.5, fill: colour });
  });
  const dashed = { "stroke-dasharray": dashes === "" ? undefined : dashes };
  return element("path", { d: path(points) ?? "", ...stroke, ...dashed }) + dots.join("");
}

/** A point between two gaps makes no line. */
function isAlone(points: readonly PlotPoint[], at: number): boolean {
  return (points[at - 1]?.value ?? null) === null && (points[at + 1]?.value ?? null) === null;
}
