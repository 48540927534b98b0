import type { PlotLine } from "./bound.ts";
import { margin, sheetWidth, types } from "./sheet.ts";
import type { Typesetter } from "./typesetting.ts";
import { grouped } from "./words.ts";

export const legendRow = 24;

/** Where the parts of an entry begin, in units of the SVG. */
export const swatch = { badge: 9.5, from: 25, to: 55, text: 63 } as const;

const between = 14;

/** A name and its peak as they fit into one column of so many. */
export type Entry = { readonly name: string; readonly peak: string; readonly peakAt: number; readonly whole: boolean };

/** Two columns where every name is whole in them and there are more than three, else one. */
export function legendColumns(lines: readonly PlotLine[], typesetter: Typesetter): 1 | 2 {
  return lines.length > 3 && lines.every((line) => entryOf(line, 2, typesetter).whole) ? 2 : 1;
}

/** Units of the SVG for one column. */
export function columnWidth(columns: 1 | 2): number {
  return (sheetWidth - 2 * margin) / columns;
}

/** What does not fit is cut on both sides of the arrow, so that both ends of a pair can be told. */
export function entryOf(line: PlotLine, columns: 1 | 2, typesetter: Typesetter): Entry {
  const peak = line.peak === undefined ? "not known" : `peak ${line.atLeast ? "≥ " : ""}${grouped(line.peak.value)}`;
  const room = columnWidth(columns) - swatch.text - typesetter.width(peak, types.strong) - 2 * between;
  const name = fitPair(line.label, room, typesetter);
  const peakAt = swatch.text + typesetter.width(name, types.normal) + between;
  return { name, peak, peakAt, whole: name === line.label };
}

const arrow = " → ";

function fitPair(label: string, width: number, typesetter: Typesetter): string {
  const { normal } = types;
  if (typesetter.width(label, normal) <= width) return label;
  const [from = "", ...rest] = label.split(arrow);
  const to = rest.join(arrow);
  if (to === "") return typesetter.fit(label, normal, { width, cut: "middle" });
  const room = width - typesetter.width(arrow, normal);
  const [wide, other] = [from, to].map((end) => typesetter.width(end, normal));
  const left = Math.min(wide ?? 0, Math.max(room / 2, room - (other ?? 0)));
  const cut = (end: string, space: number): string => typesetter.fit(end, normal, { width: space, cut: "middle" });
  return `${cut(from, left)}${arrow}${cut(to, room - left)}`;
}
