import { expect, test } from "vitest";
import { background, ink, lineStyles } from "../../src/pictures/palette.ts";

test("Lines have a contrast of 3:1 against the background and texts one of 4.5:1, as WCAG 2.2 wants", () => {
  for (const { colour } of lineStyles) expect(contrast(colour, background), colour).toBeGreaterThanOrEqual(3);
  for (const colour of [ink.text, ink.quiet]) expect(contrast(colour, background), colour).toBeGreaterThanOrEqual(4.5);
});

test("No two lines have the same colour or the same dashes", () => {
  expect(new Set(lineStyles.map(({ colour }) => colour)).size).toBe(8);
  expect(new Set(lineStyles.map(({ dashes }) => dashes)).size).toBe(8);
});

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
