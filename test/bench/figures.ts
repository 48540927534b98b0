/** What a series of times in milliseconds comes to. */
export type Figures = { readonly p50: number; readonly p99: number; readonly max: number; readonly count: number };

/** Percentiles by the nearest rank: of 20 values the 99th is the largest. Throws for an empty series. */
export function figuresOf(times: readonly number[]): Figures {
  const sorted = times.toSorted((a, b) => a - b);
  const rank = (part: number): number => {
    const value = sorted[Math.max(Math.ceil(part * sorted.length), 1) - 1];
    if (value === undefined) throw new Error("nothing was measured");
    return value;
  };
  return { p50: rank(0.5), p99: rank(0.99), max: rank(1), count: sorted.length };
}

export type Row = { readonly name: string; readonly times: readonly number[] };

/** One figure in each column, the median of its series; the ratios are to the last row, the baseline. */
export function mediansTable(
  title: string,
  rows: readonly { readonly name: string; readonly columns: Readonly<Record<string, readonly number[]>> }[],
): string {
  const base = rows.at(-1);
  if (base === undefined) throw new Error(`nothing was measured: ${title}`);
  const names = Object.keys(base.columns);
  const medianOf = (row: (typeof rows)[number], name: string): number => figuresOf(row.columns[name] ?? []).p50;
  const lines = rows.map((row) => {
    const medians = names.map((name) => medianOf(row, name).toFixed(1));
    const ratios = names.map((name) => (row === base ? "1" : (medianOf(row, name) / medianOf(base, name)).toFixed(2)));
    return lineOf(row.name, [...medians, ...ratios]);
  });
  return [title, lineOf("", [...names, ...names.map(() => "ratio")]), ...lines, ""].join("\n");
}

/** Rows under a head; the ratios are to the last row, the baseline. */
export function tableOf(title: string, rows: readonly Row[]): string {
  const figures = rows.map(({ name, times }) => ({ name, ...figuresOf(times) }));
  const base = figures.at(-1);
  if (base === undefined) throw new Error(`nothing was measured: ${title}`);
  const head = lineOf("", ["p50 ms", "p99 ms", "max ms", "n", "p50 ratio", "p99 ratio"]);
  const lines = figures.map((row) => {
    const ratios =
      row === base ? ["1", "1"] : [row.p50 / base.p50, row.p99 / base.p99].map((ratio) => ratio.toFixed(2));
    return lineOf(row.name, [...[row.p50, row.p99, row.max].map((ms) => ms.toFixed(1)), `${row.count}`, ...ratios]);
  });
  return [title, head, ...lines, ""].join("\n");
}

function lineOf(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(48)}${cells.map((cell) => cell.padStart(11)).join("")}`;
}
