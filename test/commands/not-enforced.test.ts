import { afterAll, beforeAll, expect, test } from "vitest";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

/** A cluster that enforces NetworkPolicy, as its configuration says, and nothing of the APIs that were left in it. */
let desk: TestDesk;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    definition("CiliumNetworkPolicy", "cilium.io", "v2", "Namespaced"),
    definition("AdminNetworkPolicy", "policy.networking.k8s.io", "v1alpha1", "Cluster"),
    pod("peer"),
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "allow-neighbours", namespace: "payments" },
      spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] },
    },
  );
});

afterAll(() => desk.close());

function pod(name: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels: { name } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running" },
  };
}

function definition(kind: string, group: string, version: string, scope: string): object {
  const singular = kind.toLowerCase();
  const plural = singular.replace(/y$/, "ies");
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, singular, kind },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  };
}

const everything = { namespaces: {} };

test.each([
  [
    "CiliumNetworkPolicy",
    {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "deny-all", namespace: "payments" },
      spec: { endpointSelector: {}, ingressDeny: [{ fromEntities: ["all"] }], egressDeny: [{ toEntities: ["all"] }] },
    },
  ],
  [
    "AdminNetworkPolicy",
    {
      apiVersion: "policy.networking.k8s.io/v1alpha1",
      kind: "AdminNetworkPolicy",
      metadata: { name: "deny-all" },
      spec: {
        priority: 1,
        subject: everything,
        ingress: [{ action: "Deny", from: [everything] }],
        egress: [{ action: "Deny", to: [everything] }],
      },
    },
  ],
])("What a %s would deny is no isolation where nothing enforces it", async (kind, policy) => {
  const name = kind.toLowerCase();
  desk.sandbox.apply(pod(name), policy);
  const plan = await desk.type(`quarantine payments/${name}`);
  expect(wordsIn(plan)).toContain("allow-neighbours");
  const done = await desk.press("confirm", plan.operation);
  expect(done.headline).toMatch(/^(NOT ISOLATED|UNKNOWN): /);
  expect(done.headline).toContain("allow-neighbours");
});
