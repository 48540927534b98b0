import { afterEach, beforeEach, expect, test } from "vitest";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

/** Somebody else writes while Bulkhead is at work. */
let desk: TestDesk;
let meanwhile: () => void;

beforeEach(async () => {
  meanwhile = () => undefined;
  desk = await startDesk({ services: { wait: (ms) => Promise.resolve((desk.pass(ms), meanwhile())) } });
  const metadata = { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } };
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", podIP: "10.1.0.1" },
    },
  );
});

afterEach(() => desk.close());

const openToAll = { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] };

function applyPolicy(name: string, labels: object, spec: object): void {
  const metadata = { name, namespace: "payments", labels };
  desk.sandbox.apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec });
}

test("A policy that somebody gave the operation's label is told as any other", async () => {
  const { operation = "" } = await desk.type("quarantine payments/checkout-1");
  meanwhile = () => applyPolicy("aaa", { "bulkhead.dev/operation": operation }, openToAll);
  const done = await desk.press("confirm", operation);
  expect(done.headline).toMatch(/^NOT ISOLATED: policy aaa still lets/);
});

test("A plan tells of a policy that somebody gave the operation's label before", async () => {
  const request = desk.request("quarantine payments/checkout-1");
  const { operation = "" } = desk.desk.understand(request);
  applyPolicy("aaa", { "bulkhead.dev/operation": operation }, openToAll);
  expect(wordsIn(await desk.desk.run(request, desk.outlet))).toMatch(/aaa/);
});

test("No label comes off where somebody altered the deny after it was written", async () => {
  const { operation = "" } = await desk.type("quarantine payments/checkout-1");
  meanwhile = () => applyPolicy(`bulkhead-${operation}`, { "bulkhead.dev/operation": operation }, openToAll);
  const done = await desk.press("confirm", operation);
  expect(done).toMatchObject({ outcome: "failed" });
  expect(wordsIn(done)).toContain(`NetworkPolicy payments/bulkhead-${operation} is not as it was written`);
  expect(stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels).toMatchObject({ app: "checkout" });
});

test("A lockdown's policy that somebody took our label off is not said to be gone", async () => {
  const { operation = "" } = await desk.type("lockdown payments --confirm payments");
  await desk.press("confirm", operation);
  await desk.press("confirm-again", operation);
  const name = `bulkhead-${operation}`;
  const { spec } = stored(desk.sandbox, "NetworkPolicy", name) as unknown as { readonly spec: object };
  applyPolicy(name, { "bulkhead.dev/operation": "theirs" }, spec);
  const release = await desk.type(`release ${operation}`);
  const done = await desk.press("confirm", release.operation);
  expect(done.headline).toMatch(/but not exactly/);
  expect(wordsIn(done)).toContain(`NetworkPolicy payments/${name} is still there`);
});

test("A workload without pods is not isolated where a policy would open those that come", async () => {
  desk.sandbox.apply({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "later", namespace: "payments" },
    spec: {
      replicas: 0,
      selector: { matchLabels: { group: "later" } },
      template: { metadata: { labels: { group: "later" } }, spec: { containers: [{ name: "main", image: "x" }] } },
    },
  });
  applyPolicy("allow-later", {}, { ...openToAll, podSelector: { matchLabels: { group: "later" } } });
  const plan = await desk.type("quarantine payments/rs/later");
  expect(wordsIn(plan)).toContain("allow-later");
  const done = await desk.press("confirm", plan.operation);
  expect(done.headline).toMatch(/^NOT ISOLATED: policy allow-later still lets/);
});

test("A lockdown waits for its engine's word, and says where it has not come", async () => {
  desk.sandbox.apply({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "networkpolicies.crd.antrea.io" },
    spec: {
      group: "crd.antrea.io",
      scope: "Namespaced",
      names: { plural: "networkpolicies", singular: "networkpolicy", kind: "NetworkPolicy" },
      versions: [
        {
          name: "v1beta1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  });
  const { operation = "" } = await desk.type("lockdown payments --engine antrea --confirm payments");
  await desk.press("confirm", operation);
  const done = await desk.press("confirm-again", operation);
  expect(wordsIn(done)).toContain(
    `Realised: not yet, Antrea has not reported NetworkPolicy (crd.antrea.io) payments/bulkhead-${operation} as in force`,
  );
});

test("A pod that gave itself a quarantine's label is not said to be in one", async () => {
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "sly", namespace: "payments", labels: { "bulkhead.dev/quarantine": "q-0000000" } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", podIP: "10.1.0.2" },
  });
  const reply = await desk.type("lockdown payments --confirm payments");
  const plan = wordsIn(reply);
  expect(plan).toMatch(/NOT covered, since they bear the label bulkhead.dev\/quarantine[^"]*: sly/);
  expect(plan).not.toContain("In a quarantine of their own");
  await desk.press("confirm", reply.operation);
  const done = await desk.press("confirm-again", reply.operation);
  expect(done.headline).toMatch(/^NOT ISOLATED: pod sly bears a quarantine's label, is in none/);
});
