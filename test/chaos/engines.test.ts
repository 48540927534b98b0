import fc from "fast-check";
import { expect, test } from "vitest";
import { leaks, randomDenial, stronger } from "../engines/random-denial.ts";

/** ENGINES_SEED repeats a run, ENGINES_CLUSTERS says how many clusters. */
const seed = Number(process.env["ENGINES_SEED"] ?? Date.now() % 1_000_000_000);
const clusters = Number(process.env["ENGINES_CLUSTERS"] ?? 5_000);

test.each(stronger)(
  `With %s nothing but the endpoints is open, on ${clusters} clusters`,
  { timeout: 1_800_000 },
  (engine) => {
    const seen = { denied: 0, open: 0 };
    fc.assert(
      fc.property(randomDenial, (each) => {
        expect(leaks(engine, each, seen)).toEqual([]);
      }),
      { seed, numRuns: clusters },
    );
    process.stdout.write(
      `${engine}: ENGINES_SEED=${seed}, ${seen.denied} denied and ${seen.open} open directions held against it\n`,
    );
  },
);
