import { expect, test } from "vitest";
import { defaultedForm } from "../../src/policy/defaulted.ts";
import type { Manifest } from "../../src/policy/manifest.ts";

const form = (spec: unknown, apiVersion = "networking.k8s.io/v1", more: object = {}) =>
  defaultedForm({
    apiVersion,
    kind: "NetworkPolicy",
    metadata: { name: "x" },
    spec: spec as Manifest["spec"],
    ...more,
  });

test.each([
  ["no policyTypes without egress", { podSelector: {} }, { podSelector: {}, policyTypes: ["Ingress"] }],
  [
    "no policyTypes with egress",
    { podSelector: {}, egress: [{}] },
    { podSelector: {}, egress: [{}], policyTypes: ["Ingress", "Egress"] },
  ],
  ["an empty list of egress", { podSelector: {}, egress: [] }, { podSelector: {}, policyTypes: ["Ingress"] }],
  [
    "a port without a protocol",
    { ingress: [{ ports: [{ port: 1 }] }] },
    { podSelector: {}, ingress: [{ ports: [{ port: 1, protocol: "TCP" }] }], policyTypes: ["Ingress"] },
  ],
  [
    "an empty from and null",
    { podSelector: { matchLabels: {} }, ingress: [{ from: [], ports: null }] },
    { podSelector: {}, ingress: [{}], policyTypes: ["Ingress"] },
  ],
])("%s is the same as what the server stores", (_, declared, stored) => {
  expect(form(declared)).toEqual(form(stored));
  expect(form(form(declared).spec)).toEqual(form(declared));
});

test.each([
  ["a rule for all and none", { ingress: [{}] }, { ingress: [] }],
  ["a selector of all and none", { ingress: [{ from: [{ podSelector: {} }] }] }, { ingress: [{ from: [{}] }] }],
  [
    "UDP and the default",
    { ingress: [{ ports: [{ port: 1, protocol: "UDP" }] }] },
    { ingress: [{ ports: [{ port: 1 }] }] },
  ],
  ["egress that is isolated and not", { policyTypes: ["Ingress", "Egress"] }, {}],
])("%s are not the same", (_, one, other) => {
  expect(form(one)).not.toEqual(form(other));
});

test("Calico's tier is filled in, and what lies beside a spec counts", () => {
  expect(form({ order: 1 }, "projectcalico.org/v3")).toEqual(
    form({ order: 1, tier: "default" }, "projectcalico.org/v3"),
  );
  expect(form({}, "cilium.io/v2", { specs: [{ a: 1 }] })).not.toEqual(form({}, "cilium.io/v2", { specs: [{ a: 2 }] }));
});
