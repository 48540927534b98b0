import fc from "fast-check";
import { expect, test } from "vitest";
import { leaks, randomDenial, stronger } from "./random-denial.ts";

/** 100 000 of them are in test/chaos/engines.test.ts. */
const numRuns = 20;

test.each(stronger)("With %s, nothing more is open to or from what is denied than its endpoints", (engine) => {
  const seen = { denied: 0, open: 0 };
  fc.assert(
    fc.property(randomDenial, (each) => {
      expect(leaks(engine, each, seen)).toEqual([]);
    }),
    { numRuns },
  );
  expect(seen.denied).toBeGreaterThan(5);
  expect(seen.open).toBeGreaterThan(0);
});
