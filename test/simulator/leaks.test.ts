import fc from "fast-check";
import { expect, test } from "vitest";
import { containment, differences } from "./contained.ts";

test("A quarantine of any random cluster leaves no connection but those it lists, and lists none that is closed", () => {
  fc.assert(
    fc.property(containment, (each) => {
      expect(differences(each)).toEqual([]);
    }),
    { numRuns: 15 },
  );
});
