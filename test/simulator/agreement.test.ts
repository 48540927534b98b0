import fc from "fast-check";
import { expect, test } from "vitest";
import { disagreements } from "./agreement.ts";
import { randomCase } from "./random-cluster.ts";

test("The simulator agrees with a naive evaluator on random clusters", () => {
  fc.assert(
    fc.property(randomCase, (each) => {
      expect(disagreements(each)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
