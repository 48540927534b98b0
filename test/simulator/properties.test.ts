import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "../../src/simulator/compile.ts";
import { decide } from "../../src/simulator/decide.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import type { Snapshot } from "../../src/simulator/snapshot.ts";
import { createRandom } from "../chaos/random.ts";
import { trafficOf } from "./agreement.ts";
import { isIsolated } from "./naive.ts";
import { type Case, oneMore, randomCase } from "./random-cluster.ts";

const numRuns = 60;

const less = { denied: 0, undecided: 1, allowed: 2 };

test("An allow NetworkPolicy more takes no connection from a pod that is isolated in that direction already", () => {
  let seen = 0;
  const isNeverLess = ({ cluster, connections, ipBlockMatchesPods }: Case, policy: WireObject) => {
    const settings = { engine: undefined, ipBlockMatchesPods };
    const before = compile(cluster, settings);
    const after = compile({ ...cluster, policies: [...cluster.policies, policy] }, settings);
    for (const connection of connections) {
      const [was, is] = [before, after].map((simulator) => decide(simulator, trafficOf(connection)));
      for (const direction of ["egress", "ingress"] as const) {
        const subject = direction === "egress" ? connection.from : connection.to;
        if ("external" in subject || !isIsolated(cluster, subject, direction)) continue;
        seen += 1;
        expect(less[is![direction].verdict]).toBeGreaterThanOrEqual(less[was![direction].verdict]);
      }
    }
  };
  fc.assert(fc.property(randomCase, oneMore, isNeverLess), { numRuns });
  expect(seen).toBeGreaterThan(numRuns / 2);
});

test("The order of policies, pods, namespaces, peers and ports changes nothing, nor that of NetworkPolicy's rules", () => {
  const isTheSame = ({ cluster, connections, ipBlockMatchesPods }: Case, seed: number) => {
    const settings = { engine: undefined, ipBlockMatchesPods };
    const [a, b] = [cluster, shuffled(cluster, seed)].map((each) => compile(each, settings));
    for (const connection of connections) {
      const traffic = trafficOf(connection);
      expect(decide(b!, traffic).verdict).toBe(decide(a!, traffic).verdict);
    }
  };
  fc.assert(fc.property(randomCase, fc.nat(), isTheSame), { numRuns });
});

function shuffled(cluster: Snapshot, seed: number): Snapshot {
  const random = createRandom(seed);
  const mix = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, key: random.between(0, 1_000_000) }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ item }) => item);
  const mixLists = (value: unknown, key?: string): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (!Array.isArray(value))
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mixLists(member, name)]));
    const inner = value.map((item) => mixLists(item));
    return key === "tier rules" ? inner : mix(inner);
  };
  const policies = cluster.policies.map((policy) => {
    const { ingress, egress, ...rest } = policy["spec"] as Record<string, unknown>;
    const rules = policy.kind === "NetworkPolicy" ? "rules" : "tier rules";
    const spec = { ...rest, ingress: mixLists(ingress, rules), egress: mixLists(egress, rules) };
    return { ...policy, spec };
  });
  return { ...cluster, namespaces: mix(cluster.namespaces), pods: mix(cluster.pods), policies: mix(policies) };
}
