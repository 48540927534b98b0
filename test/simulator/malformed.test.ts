import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "../../src/simulator/compile.ts";
import { decide } from "../../src/simulator/decide.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { trafficOf } from "./agreement.ts";
import type { Party } from "./naive.ts";
import { type Case, randomCase } from "./random-cluster.ts";

/** Something in the place of something else, or nothing at all. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, "", 0, -1, 1.5, true, [], {}, [null], "*", "10.0.0.0/99", "__proto__"),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The value at a random place in it, replaced. */
function damaged(value: unknown, turns: readonly number[], by: unknown): unknown {
  const [turn, ...rest] = turns;
  if (turn === undefined || typeof value !== "object" || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[turn % Math.max(keys.length, 1)];
  if (key === undefined) return by;
  const member = damaged((value as Record<string, unknown>)[key], rest, by);
  return Array.isArray(value) ? value.with(Number(key), member) : { ...value, [key]: member };
}

test("Whatever stands in a policy, it is read, or told what is wrong with it and nothing in its reach called allowed", () => {
  let told = 0;
  const isHandled = ({ cluster, connections }: Case, turns: readonly number[], by: unknown) => {
    const [first, ...others] = cluster.policies;
    if (first === undefined) return;
    const policy: WireObject = { ...first, spec: damaged(first["spec"], turns, by) };
    const snapshot = { ...cluster, policies: [policy, ...others] };
    const simulator = compile(snapshot, { engine: undefined, ipBlockMatchesPods: false });
    const answers = connections.map((connection) => ({ connection, answer: decide(simulator, trafficOf(connection)) }));
    const problems = simulator.problems.flatMap((each) => each.problems);
    for (const { field, message } of problems) {
      expect(field).toMatch(/^spec\b/);
      expect(message).not.toMatch(/^$|undefined|Invalid|\[object/);
    }
    if (problems.length === 0) return;
    told += 1;
    const mayReach = (party: Party) =>
      !("external" in party) &&
      !party.hostNetwork &&
      party.namespace === (policy.metadata.namespace ?? party.namespace);
    for (const { connection, answer } of answers) {
      const reasons = [...answer.egress.because, ...answer.ingress.because];
      const isExempt = reasons.some(({ kind }) => kind === "itself" || kind === "own-node");
      if (isExempt || !(mayReach(connection.from) || mayReach(connection.to))) continue;
      expect(answer.verdict).not.toBe("allowed");
    }
  };
  fc.assert(fc.property(randomCase, fc.array(fc.nat(5), { maxLength: 7 }), odd, isHandled), { numRuns: 60 });
  expect(told).toBeGreaterThan(5);
});
