import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Counter, createSpaceSaving } from "../../src/flows/space-saving.ts";

function countAll(most: number, added: Iterable<readonly [text: string, count: number]>) {
  const sketch = createSpaceSaving<Counter>(most);
  const truth = new Map<string, number>();
  for (const [text, count] of added) {
    sketch.add(text, count, () => ({ text, count: 0, error: 0 }));
    truth.set(text, (truth.get(text) ?? 0) + count);
  }
  return { sketch, truth, total: [...truth.values()].reduce((sum, count) => sum + count, 0) };
}

/** The same numbers again for the same seed, from 0 up to 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

describe("Space-Saving", () => {
  test("keeps its bounds: never too low, too high by N/K at most and as it says, all of it together N", () => {
    const added = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }).map(String), fc.integer({ min: 1, max: 50 })), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(added, fc.integer({ min: 1, max: 40 }), (all, most) => {
        const { sketch, truth, total } = countAll(most, all);
        expect(sketch.entries.reduce((sum, { count }) => sum + count, 0)).toBe(total);
        expect(sketch.entries.length).toBe(Math.min(most, truth.size));
        for (const { text, count, error } of sketch.entries) {
          expect(count).toBeGreaterThanOrEqual(truth.get(text) ?? 0);
          expect(count - error).toBeLessThanOrEqual(truth.get(text) ?? 0);
          expect(error).toBeLessThanOrEqual(total / most);
        }
        const kept = new Set(sketch.entries.map(({ text }) => text));
        for (const [text, count] of truth) if (count > total / most) expect(kept).toContain(text);
      }),
    );
  });

  test("is exact where there is room for all", () => {
    const { sketch, truth } = countAll(3, [
      ["a", 1],
      ["b", 5],
      ["a", 9],
      ["c", 2],
    ]);
    expect(new Map(sketch.entries.map(({ text, count }) => [text, count]))).toEqual(truth);
    expect(sketch.evicted()).toBe(0);
  });

  test("keeps the true top 20 of 50 000 keys, of Zipf's and of those that come between them to push them out", () => {
    const random = randomFrom(7);
    const zipf = Array.from({ length: 400_000 }, (): [string, number] => [`${Math.floor(50_000 ** random())}`, 1]);
    const hostile = Array.from({ length: 400_000 }, (_, index): [string, number] =>
      index % 100 < 20 ? [`heavy ${index % 20}`, 1] : [`once ${index % 49_980}`, 1],
    );
    for (const added of [zipf, hostile]) {
      const { sketch, truth } = countAll(4_096, added);
      const top = (all: Iterable<readonly [string, number]>) =>
        [...all]
          .toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
          .slice(0, 20)
          .map(([text]) => text)
          .toSorted((a, b) => a.localeCompare(b));
      expect(top(sketch.entries.map(({ text, count, error }) => [text, count - error]))).toEqual(top(truth));
    }
  });
});
