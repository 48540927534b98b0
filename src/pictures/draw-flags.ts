import type { Flag } from "./flags.ts";
import { type Layout, laneHeight, symbolRoom } from "./layout.ts";
import { background, ink } from "./palette.ts";
import type { MarkKind } from "./picture.ts";
import { type Sheet, types } from "./sheet.ts";
import { element } from "./svg.ts";

/** A line from each letter down to the axis; the letters cover lines that pass behind them. */
export function drawFlags(layout: Layout, sheet: Sheet): string {
  const poles = layout.flags.map((flag) => drawPole(flag, layout));
  const letters = layout.flags.map((flag) => drawLetter(flag, layout, sheet));
  return [...poles, ...letters].join("");
}

/** On the axis each mark has its symbol, also where several share a letter; one is enough in one place. */
export function drawSymbols({ flags, xOf, bottom }: Layout): string {
  const marks = flags.flatMap((flag) => flag.marks);
  const places = new Map(marks.map(({ atMs, kind }) => [`${Math.round(xOf(atMs))} ${kind}`, { x: xOf(atMs), kind }]));
  return [...places.values()].map(({ x, kind }) => markSymbol(kind, x, bottom)).join("");
}

/** What tells the kinds of marks apart without colour: a shape, around a point. */
export function markSymbol(kind: MarkKind, x: number, y: number): string {
  if (kind === "operation") return path(`M${x},${y - 5}l5,5l-5,5l-5,-5z`);
  if (kind === "policy-change") return path(`M${x},${y - 5}l5,9h-10z`);
  return element("circle", { cx: x, cy: y, r: 3.2, fill: background, stroke: ink.text, "stroke-width": 2.6 });
}

function path(d: string): string {
  return element("path", { d, fill: ink.text });
}

const dashes: Record<MarkKind, string | undefined> = { "policy-change": undefined, operation: "6 3", spike: "2 3" };

function drawPole(flag: Flag, layout: Layout): string {
  const dash = dashes[kindOf(flag)];
  const y1 = laneTop(flag, layout) + laneHeight / 2;
  const stroke = { stroke: ink.quiet, "stroke-width": 1.2, "stroke-dasharray": dash };
  return element("line", { x1: flag.x, x2: flag.x, y1, y2: layout.bottom, ...stroke });
}

function drawLetter(flag: Flag, layout: Layout, sheet: Sheet): string {
  const { x, flipped, letter } = flag;
  const y = laneTop(flag, layout);
  const width = sheet.width(letter, types.strong);
  const textAt = flipped ? x - symbolRoom + 4 - width : x + symbolRoom - 4;
  const cover = { x: Math.min(x - 6, textAt - 2), y: y + 1, width: width + symbolRoom + 4, height: laneHeight - 2 };
  return [
    element("rect", { ...cover, fill: background }),
    markSymbol(kindOf(flag), x, y + laneHeight / 2),
    sheet.write(letter, types.strong, { x: textAt, y: y + 17 }),
  ].join("");
}

function laneTop({ lane }: Flag, { lanesBottom }: Layout): number {
  return lanesBottom - (lane + 1) * laneHeight;
}

/** A letter for several goes by what matters most, or by the first. */
export function kindOf({ marks }: Flag): MarkKind {
  return marks.some(({ kind }) => kind === "spike") ? "spike" : (marks[0]?.kind ?? "operation");
}
