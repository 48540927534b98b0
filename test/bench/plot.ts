/** Both axes are logarithmic: a line of slope one grows as the pods do. Values in milliseconds, above 0. */
export type Plot = {
  readonly title: string;
  readonly xs: readonly number[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
};

const size = { width: 640, height: 360, left: 70, right: 20, top: 40, bottom: 110 };
const colours = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"];
const decades = [0, 4] as const;

/** An SVG picture. */
export function plotOf({ title, xs, series }: Plot): string {
  const x = scaleOf(Math.log10(Math.min(...xs)), Math.log10(Math.max(...xs)), size.left, size.width - size.right);
  const y = scaleOf(decades[0] - 1, decades[1] - 1, size.height - size.bottom, size.top);
  const grid = Array.from({ length: decades[1] - decades[0] + 1 }, (_, i) => 10 ** (i - 1)).map((value) =>
    [
      `<line x1="${size.left}" x2="${size.width - size.right}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`,
      `<text x="${size.left - 8}" y="${y(value) + 4}" text-anchor="end">${value} ms</text>`,
    ].join(""),
  );
  const ticks = xs.map(
    (pods) => `<text x="${x(pods)}" y="${size.height - size.bottom + 20}" text-anchor="middle">${pods} pods</text>`,
  );
  const lines = series.map(({ name, values }, i) => {
    const colour = colours[i % colours.length] ?? "#000";
    const points = values.map((value, at) => `${x(xs[at] ?? 1)},${y(value)}`);
    const label = { x: size.left + (i % 2) * 280, y: size.height - size.bottom + 52 + Math.floor(i / 2) * 24 };
    return [
      `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...values.map((value, at) => `<circle cx="${x(xs[at] ?? 1)}" cy="${y(value)}" r="3.5" fill="${colour}"/>`),
      `<rect x="${label.x}" y="${label.y - 10}" width="12" height="12" fill="${colour}"/>`,
      `<text x="${label.x + 18}" y="${label.y}">${name}</text>`,
    ].join("");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${size.left}" y="22" font-size="14">${title}</text>`,
    ...grid,
    ...ticks,
    ...lines,
    "</svg>\n",
  ].join("\n");
}

function scaleOf(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => {
    const part = (Math.log10(value) - from) / (to - from);
    return Math.round((start + part * (end - start)) * 10) / 10;
  };
}
