import fc from "fast-check";
import { expect, test } from "vitest";
import { leaks, randomDenial, stronger } from "./random-denial.ts";

/** 10 000 for each are in test/chaos/engines.test.ts. */
const numRuns = 20;

const seen = { denied: 0, open: 0 };

test.each(stronger)("With %s, nothing more is open to or from what is denied than its endpoints", (engine) => {
  fc.assert(
    fc.property(randomDenial, (each) => {
      expect(leaks(engine, each, seen)).toEqual([]);
    }),
    { numRuns },
  );
});

test("There were connections to deny and endpoints to leave open", () => {
  expect(seen.denied).toBeGreaterThan(numRuns);
  expect(seen.open).toBeGreaterThan(5);
});
