import fc from "fast-check";
import { expect, test } from "vitest";
import { disagreements } from "../simulator/agreement.ts";
import { containment, differences } from "../simulator/contained.ts";
import { randomCase } from "../simulator/random-cluster.ts";

/** SIMULATOR_SEED repeats a run, SIMULATOR_CLUSTERS says how many clusters. */
const seed = Number(process.env["SIMULATOR_SEED"] ?? Date.now() % 1_000_000_000);
const clusters = Number(process.env["SIMULATOR_CLUSTERS"] ?? 100_000);

test(`The simulator agrees with a naive evaluator on ${clusters} random clusters`, { timeout: 1_800_000 }, () => {
  process.stdout.write(`simulator: SIMULATOR_SEED=${seed} SIMULATOR_CLUSTERS=${clusters}\n`);
  let connections = 0;
  fc.assert(
    fc.property(randomCase, (each) => {
      connections += each.connections.length;
      expect(disagreements(each)).toEqual([]);
    }),
    { seed, numRuns: clusters },
  );
  process.stdout.write(`simulator: ${connections} connections asked\n`);
});

/** Each asks some hundreds of connections, so there are fewer of them. */
const contained = Math.ceil(clusters / 50);

test(`A quarantine leaves just what it lists on ${contained} random clusters`, { timeout: 1_800_000 }, () => {
  process.stdout.write(`simulator: SIMULATOR_SEED=${seed}, ${contained} quarantines\n`);
  fc.assert(
    fc.property(containment, (each) => {
      expect(differences(each)).toEqual([]);
    }),
    { seed, numRuns: contained },
  );
});
