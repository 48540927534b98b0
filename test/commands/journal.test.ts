import { expect, test } from "vitest";
import { maySpool, standing } from "../../src/commands/journal.ts";

test("Everything of a quarantine may be spooled, and every outcome and refusal; the intent of a release may not", () => {
  for (const kind of ["intent", "outcome", "refusal", "adopted"] as const)
    expect(maySpool("quarantine", kind)).toBe(true);
  expect(maySpool("release", "intent")).toBe(false);
  expect(maySpool("release", "outcome")).toBe(true);
  expect(maySpool("release", "refusal")).toBe(true);
});

test("A card says where its entry stands while the chain cannot be reached", () => {
  expect(standing({ kind: "spooled", id: "q-1:intent" })).toBe("audit: spooled on this replica until Redis is back");
  expect(standing({ kind: "told-only", id: "q-1:intent" })).toMatch(/NOT stored.*standard output is the record/);
});
