import type { Plot, PlotLine } from "./bound.ts";
import { drawBadge, styleOf } from "./draw-lines.ts";
import type { Layout } from "./layout.ts";
import { columnWidth, entryOf, legendRow, swatch } from "./legend.ts";
import { margin, type Sheet, types } from "./sheet.ts";
import { element } from "./svg.ts";

/** By rank, down each column: number, line, name and peak. */
export function drawLegend(plot: Plot, layout: Layout, sheet: Sheet): string {
  const rows = Math.ceil(plot.lines.length / layout.columns);
  const entries = plot.lines.map((line, rank) => {
    const x = margin + Math.floor(rank / rows) * columnWidth(layout.columns);
    const y = layout.legendTop + (rank % rows) * legendRow;
    return drawEntry(line, { rank, x, y, columns: layout.columns }, sheet);
  });
  return entries.join("");
}

type Cell = { readonly rank: number; readonly x: number; readonly y: number; readonly columns: 1 | 2 };

function drawEntry(plotted: PlotLine, { rank, x, y, columns }: Cell, sheet: Sheet): string {
  const { colour, dashes } = styleOf(rank);
  const { name, peak, peakAt } = entryOf(plotted, columns, sheet);
  const line = {
    x1: x + swatch.from,
    x2: x + swatch.to,
    y1: y - 5.5,
    y2: y - 5.5,
    stroke: colour,
    "stroke-width": 2.6,
    "stroke-dasharray": dashes === "" ? undefined : dashes,
  };
  return [
    drawBadge(rank, { x: x + swatch.badge, y: y - 5.5 }, sheet),
    element("line", line),
    sheet.write(name, types.normal, { x: x + swatch.text, y }),
    sheet.write(peak, types.strong, { x: x + peakAt, y }),
  ].join("");
}
