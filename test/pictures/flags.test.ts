import fc from "fast-check";
import { expect, test } from "vitest";
import { type Flag, type FlagRoom, placeFlags } from "../../src/pictures/flags.ts";
import { minute } from "../../src/pictures/words.ts";
import { fromMs, mark, minuteMs } from "./samples.ts";

const room: FlagRoom = {
  left: 50,
  right: 700,
  lanes: 4,
  xOf: (atMs) => 50 + ((atMs - fromMs) / (120 * minuteMs)) * 650,
  timeOf: minute,
  measure: (text) => ({ text: text.slice(0, 40), width: 7 * Math.min(40, text.length) + 14 }),
};

test("Each mark has a label of its own as long as there is room, the earlier one above", () => {
  const marks = [
    mark(62, "policy-change", "default-deny"),
    mark(63, "spike", "checkout"),
    mark(70, "operation", "u-1"),
  ];
  const flags = placeFlags(marks, room);
  expect(flags.map(({ text, lane }) => [text, lane])).toEqual([
    ["14:02 default-deny", 2],
    ["14:03 checkout", 1],
    ["14:10 u-1", 0],
  ]);
});

test("Near the right edge a label stands left of its mark", () => {
  const [early, late] = placeFlags([mark(0, "operation", "first"), mark(119, "operation", "last")], room);
  expect([early?.left, early?.flipped, late?.flipped]).toEqual([50, false, true]);
  expect((late?.left ?? 0) + (late?.width ?? 0)).toBeCloseTo(late?.x ?? 0);
});

test("Where there is none, the nearest share a label and a spike keeps its own", () => {
  const changes = Array.from({ length: 12 }, (_, at) => mark(60 + at, "policy-change", `policy-${at}`));
  const flags = placeFlags([...changes, mark(66.5, "spike", "checkout")], room);
  expect(flags.map(({ text }) => text)).toContain("14:06 checkout");
  expect(flags.some(({ text }) => /^14:0\d–14:\d\d \d+ policy changes$/.test(text))).toBe(true);
  expect(flags.flatMap(({ marks }) => marks)).toHaveLength(13);
});

test("However many marks there are, no two labels overlap, all are within, and none is lost", () => {
  const kinds = fc.constantFrom("policy-change" as const, "operation" as const, "spike" as const);
  const one = fc.tuple(fc.double({ min: 0, max: 120, noNaN: true }), kinds, fc.string({ maxLength: 50 }));
  fc.assert(
    fc.property(fc.array(one, { maxLength: 120 }), (tuples) => {
      const marks = tuples.map(([at, kind, label]) => mark(at, kind, label));
      const flags = placeFlags(marks, room);
      expect(flags.flatMap((flag) => flag.marks)).toHaveLength(marks.length);
      expect(flags.every(({ left, width, lane }) => left >= 50 && left + width <= 700 && lane < 4)).toBe(true);
      expect(flags.flatMap((flag, at) => flags.slice(at + 1).filter((other) => touch(flag, other)))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

function touch(one: Flag, other: Flag): boolean {
  return one.lane === other.lane && one.left < other.left + other.width && other.left < one.left + one.width;
}
