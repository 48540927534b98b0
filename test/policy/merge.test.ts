import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { merge } from "../../src/policy/merge.ts";

describe("Merging", () => {
  test("takes both changes where they are of different members, deletions too", () => {
    const base = { spec: { a: 1, b: { x: 1, y: 2 }, c: 3 } };
    const one = { spec: { a: 2, b: { x: 1, y: 2 }, c: 3 } };
    const other = { spec: { a: 1, b: { x: 5 }, c: 3, d: 4 } };
    expect(merge({ base, one, other })).toEqual({ value: { spec: { a: 2, b: { x: 5 }, c: 3, d: 4 } }, conflicts: [] });
  });

  test("names the paths that both changed", () => {
    const { conflicts } = merge({ base: { a: { b: 1, c: 1 } }, one: { a: { b: 2, c: 2 } }, other: { a: { b: 3 } } });
    expect(conflicts).toEqual(["a.b", "a.c"]);
  });

  test("takes a list whole", () => {
    const { conflicts } = merge({ base: { l: [1, 2] }, one: { l: [1, 2, 3] }, other: { l: [0, 1, 2] } });
    expect(conflicts).toEqual(["l"]);
  });

  test("merges the items of a list where all have the same names in the same order", () => {
    const item = (name: string, port: number, action = "Allow") => ({ name, port, action });
    const base = [item("x", 1), item("y", 2)];
    const one = [item("x", 9), item("y", 2)];
    const other = [item("x", 1, "Deny"), item("y", 2)];
    expect(merge({ base, one, other })).toEqual({ value: [item("x", 9, "Deny"), item("y", 2)], conflicts: [] });
    expect(merge({ base, one, other: other.toReversed() }, "rules").conflicts).toEqual(["rules"]);
    expect(
      merge({ base: [item("x", 1), item("x", 1)], one: [item("x", 2), item("x", 1)], other: [] }, "r").conflicts,
    ).toEqual(["r"]);
  });

  test("of the same change by both is that change", () => {
    expect(merge({ base: { a: 1 }, one: { a: 2 }, other: { a: 2 } })).toEqual({ value: { a: 2 }, conflicts: [] });
    expect(merge({ base: { a: 1 }, one: {}, other: {} })).toEqual({ value: {}, conflicts: [] });
  });

  test("with a side that changed nothing is the other side, whatever the values", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (base, changed) => {
        expect(merge({ base, one: changed, other: base })).toEqual({ value: changed, conflicts: [] });
        expect(merge({ base, one: base, other: changed })).toEqual({ value: changed, conflicts: [] });
      }),
      { numRuns: 100 },
    );
  });
});
