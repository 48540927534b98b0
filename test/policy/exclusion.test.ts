import { expect, test } from "vitest";
import { exclude, letsThrough, standingOf } from "../../src/policy/exclusion.ts";
import { marks } from "../../src/policy/marks.ts";
import type { LabelSelector, NetworkPolicy, NetworkPolicySpec } from "../../src/policy/objects.ts";
import { selects } from "../../src/policy/selector.ts";

function policyWith(podSelector: LabelSelector | undefined): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "payments", uid: "u1", resourceVersion: "7" },
    spec: podSelector === undefined ? {} : { podSelector },
  };
}

const tier: LabelSelector = {
  matchLabels: { app: "a" },
  matchExpressions: [{ key: "tier", operator: "NotIn", values: ["db"] }],
};

test.each<[string, LabelSelector | undefined, Record<string, string>]>([
  ["an absent selector", undefined, { app: "a" }],
  ["an empty one", {}, { app: "a" }],
  ["one of both kinds", tier, { app: "a", tier: "web" }],
])("%s leaves out the quarantined pod and selects the others as before", (_, selector, labels) => {
  const change = exclude(policyWith(selector));
  expect(selects(change?.after, labels)).toBe(true);
  expect(selects(change?.after, { ...labels, [marks.quarantine]: "q-1" })).toBe(false);
  expect(selects(change?.after, { app: "other" })).toBe(selects(selector, { app: "other" }));
});

test("A policy that leaves out quarantined pods already is not changed", () => {
  const { after } = exclude(policyWith(tier)) ?? {};
  expect(exclude(policyWith(after))).toBeUndefined();
});

test.each<[string, NetworkPolicySpec, boolean]>([
  ["a deny of both directions", { policyTypes: ["Ingress", "Egress"] }, false],
  ["egress rules, without types", { egress: [{}] }, true],
  ["egress rules of an Ingress policy", { policyTypes: ["Ingress"], egress: [{}] }, false],
  ["ingress rules, without types", { ingress: [{}] }, true],
  ["ingress rules of an Egress policy", { policyTypes: ["Egress"], ingress: [{}] }, false],
  ["empty lists", { ingress: [], egress: [] }, false],
])("Whether a policy lets something through: %s", (_, spec, lets) => {
  expect(letsThrough({ ...policyWith({}), spec })).toBe(lets);
});

test("What became of the change is told by the selector and the uid", () => {
  const change = exclude(policyWith(tier));
  if (change === undefined) throw new Error("no change");
  expect(standingOf(change, policyWith(tier))).toBe("before");
  expect(standingOf(change, policyWith(change.after))).toBe("after");
  expect(standingOf(change, policyWith({}))).toBe("changed");
  const other = policyWith(tier);
  expect(standingOf(change, { ...other, metadata: { ...other.metadata, uid: "u2" } })).toBe("changed");
  const absent = exclude(policyWith(undefined));
  expect(absent && standingOf(absent, policyWith({}))).toBe("before");
});
