import { columnsOf, pad, wrap } from "./lines.ts";

export type Align = "left" | "center" | "right";

const gap = 2;

/** Texts in two columns, as Slack lays out the fields of a section. */
export function twoColumns(texts: readonly string[], width: number): readonly string[] {
  const half = Math.floor((width - gap) / 2);
  const lines: string[] = [];
  for (let at = 0; at < texts.length; at += 2) {
    lines.push(...sideBySide(texts.slice(at, at + 2), [half, half], []));
  }
  return lines;
}

/** A table whose first row is its head. Columns share `width`; a cell that is too long goes on below, none is cut. */
export function tableLines(
  rows: readonly (readonly string[])[],
  aligns: readonly (Align | undefined)[],
  width: number,
): readonly string[] {
  const [head, ...body] = rows;
  if (head === undefined) return [];
  const widths = fit(naturalWidths(rows), width);
  const rule = widths.map((columns) => "─".repeat(columns)).join(" ".repeat(gap));
  return [sideBySide(head, widths, aligns), [rule], ...body.map((row) => sideBySide(row, widths, aligns))].flat();
}

function naturalWidths(rows: readonly (readonly string[])[]): number[] {
  const count = Math.max(...rows.map((row) => row.length));
  return Array.from({ length: count }, (_, column) =>
    Math.max(1, ...rows.flatMap((row) => (row[column] ?? "").split("\n").map(columnsOf))),
  );
}

/** Takes from the widest column until all fit; none goes below four. */
function fit(widths: number[], width: number): readonly number[] {
  const available = width - gap * (widths.length - 1);
  for (;;) {
    const widest = Math.max(...widths);
    if (widest <= 4 || widths.reduce((sum, columns) => sum + columns, 0) <= available) return widths;
    widths[widths.indexOf(widest)] = widest - 1;
  }
}

function sideBySide(
  cells: readonly string[],
  widths: readonly number[],
  aligns: readonly (Align | undefined)[],
): readonly string[] {
  const wrapped = cells.map((cell, column) => wrap(cell, widths[column] ?? 4));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines, column) => pad(lines[line] ?? "", widths[column] ?? 4, aligns[column]))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}
