import { expect, test } from "vitest";
import { rasterise } from "../../src/pictures/raster.ts";
import { createTypesetter } from "../../src/pictures/typesetting.ts";

const typesetter = createTypesetter();

test("An x between digits is drawn as an x and not as a multiplication sign: ids are what they are", () => {
  const [letter, sign] = ["v-9x1", "v-9×1"].map((text) => {
    const { svg } = typesetter.set(text, { size: 20 }, { x: 60, y: 30, anchor: "middle" });
    return rasterise(`<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">${svg}</svg>`).png;
  });
  expect(Buffer.from(letter ?? []).equals(Buffer.from(sign ?? []))).toBe(false);
});
