import fc from "fast-check";
import { expect, test } from "vitest";
import { type Flag, type FlagRoom, placeFlags } from "../../src/pictures/flags.ts";
import { fromMs, mark, minuteMs } from "./samples.ts";

const room: FlagRoom = {
  right: 700,
  lanes: 4,
  most: 8,
  width: 28,
  xOf: (atMs) => 50 + ((atMs - fromMs) / (120 * minuteMs)) * 650,
};

test("Each mark has a letter of its own as long as there is room, the earlier one above", () => {
  const marks = [
    mark(62, "policy-change", "default-deny changed"),
    mark(63, "spike", ""),
    mark(66, "operation", "default-deny changed"),
    mark(90, "operation", "allow-db created"),
  ];
  const flags = placeFlags(marks, room);
  expect(flags.map(({ letter, lane }) => [letter, lane])).toEqual([
    ["A", 2],
    ["B", 1],
    ["C", 0],
    ["D", 0],
  ]);
});

test("Near the right edge a letter stands left of its mark", () => {
  const [early, late] = placeFlags([mark(0, "operation", "first"), mark(119, "operation", "last")], room);
  expect([early?.left, early?.flipped, late?.flipped]).toEqual([50, false, true]);
  expect((late?.left ?? 0) + room.width).toBeCloseTo(late?.x ?? 0);
});

test("Where there is none, the nearest share a letter and a spike keeps its own", () => {
  const changes = Array.from({ length: 12 }, (_, at) => mark(60 + at, "policy-change", `policy-${at} changed`));
  const flags = placeFlags([...changes, mark(66.5, "spike", "")], room);
  const ofSpike = flags.filter(({ marks }) => marks.some(({ kind }) => kind === "spike"));
  expect(ofSpike.map(({ marks }) => marks.length)).toEqual([1]);
  expect(flags.some(({ marks }) => marks.length > 1)).toBe(true);
  expect(flags.flatMap(({ marks }) => marks)).toHaveLength(13);
});

test("However many marks there are, no two letters overlap, all are within, and none is lost", () => {
  const kinds = fc.constantFrom("policy-change" as const, "operation" as const, "spike" as const);
  const one = fc.tuple(fc.double({ min: 0, max: 120, noNaN: true }), kinds, fc.string({ maxLength: 50 }));
  fc.assert(
    fc.property(fc.array(one, { maxLength: 120 }), (tuples) => {
      const marks = tuples.map(([at, kind, what]) => mark(at, kind, what));
      const flags = placeFlags(marks, room);
      expect(flags.flatMap((flag) => flag.marks)).toHaveLength(marks.length);
      expect(flags.length).toBeLessThanOrEqual(8);
      expect(flags.map(({ letter }) => letter).join("")).toBe("ABCDEFGH".slice(0, flags.length));
      expect(flags.every(({ left, lane }) => left >= 50 && left + 28 <= 700 && lane < 4)).toBe(true);
      expect(flags.flatMap((flag, at) => flags.slice(at + 1).filter((other) => touch(flag, other)))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

function touch(one: Flag, other: Flag): boolean {
  return one.lane === other.lane && Math.abs(one.left - other.left) < room.width;
}
