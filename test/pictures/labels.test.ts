import fc from "fast-check";
import { expect, test } from "vitest";
import { drawDenied } from "../../src/pictures/draw.ts";
import { createTypesetter } from "../../src/pictures/typesetting.ts";
import { unreadable } from "./png.ts";
import { hill, mark, picture } from "./samples.ts";

const typesetter = createTypesetter();

test("Wherever marks are and whatever they are called, no label lies upon another", () => {
  const kinds = fc.constantFrom("policy-change" as const, "operation" as const, "spike" as const);
  const marks = fc.array(
    fc
      .tuple(
        fc.integer({ min: 0, max: 120 }),
        kinds,
        fc.array(fc.string({ maxLength: 90 }), { minLength: 3, maxLength: 3 }),
      )
      .map(([minute, kind, [what = "", who = "", id = ""]]) => mark(minute, kind, what, { who, id })),
    { maxLength: 40 },
  );
  const labels = fc.array(fc.string({ unit: "grapheme", maxLength: 90 }), { maxLength: 8 });
  fc.assert(
    fc.property(marks, labels, (some, names) => {
      const series = names.map((name, at) => hill(name, 15 * at, 10 ** at));
      expect(unreadable(drawDenied(picture({ marks: some, series }), typesetter))).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
