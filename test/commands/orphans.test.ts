import { afterEach, beforeEach, expect, test } from "vitest";
import { sweepOrphans } from "../../src/commands/orphans.ts";
import type { Manifest } from "../../src/policy/manifest.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";
import { startDesk, stored, type TestDesk } from "./desk.ts";

let desk: TestDesk;
let quarantine: string;
let policy: NetworkPolicy;

beforeEach(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running" },
    },
  );
  const reply = await desk.type("quarantine payments/checkout-1");
  quarantine = reply.operation ?? "";
  const plan = (await desk.services.operations.get(quarantine))?.plan;
  if (plan?.kind !== "quarantine") throw new Error("no plan");
  ({ policy } = plan);
  await desk.press("confirm", quarantine);
});

afterEach(() => desk.close());

async function released(): Promise<void> {
  const { operation } = await desk.type(`release ${quarantine}`);
  await desk.press("confirm", operation);
}

/** As by a replica that slept over the release. */
async function writtenTooLate(): Promise<void> {
  const [entry] = desk.services.clusters.values();
  await entry?.cluster.createObject(policy);
}

const policies = () => desk.sandbox.objects("NetworkPolicy", "payments");

test("A deny that was written after its release goes, once the release has rested for a minute", async () => {
  await released();
  await writtenTooLate();
  expect(await sweepOrphans(desk.services)).toBe(0);
  desk.pass(61_000);
  expect(await sweepOrphans(desk.services)).toBe(1);
  expect(policies()).toEqual([]);
});

test("What a stronger engine was given goes with it, and a tier that others may use stays", async () => {
  const of = (kind: string, name: string, spec: Manifest["spec"]): Manifest => ({
    apiVersion: "projectcalico.org/v3",
    kind,
    metadata: { name, ...(kind === "Tier" ? {} : { namespace: "payments" }), labels: { ...policy.metadata.labels } },
    spec,
  });
  for (const [plural, kind, scope] of [
    ["networkpolicies", "NetworkPolicy", "Namespaced"],
    ["tiers", "Tier", "Cluster"],
  ] as const) {
    desk.sandbox.apply({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.projectcalico.org` },
      spec: {
        group: "projectcalico.org",
        names: { plural, kind },
        scope,
        versions: [{ name: "v3", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    });
  }
  const denies = [of("Tier", "bulkhead", {}), of("NetworkPolicy", "bulkhead.x", { tier: "bulkhead" })];
  await released();
  const operation = await desk.services.operations.get(quarantine);
  if (operation?.plan?.kind !== "quarantine") throw new Error("no plan");
  await desk.services.operations.replace({ ...operation, plan: { ...operation.plan, denies } });
  const [entry] = desk.services.clusters.values();
  for (const late of [policy, ...denies]) await entry?.cluster.createObject(late);
  desk.pass(61_000);
  expect(await sweepOrphans(desk.services)).toBe(1);
  const [tier, deny] = denies;
  expect(deny && (await entry?.cluster.getObject(deny))).toBeUndefined();
  expect(tier && (await entry?.cluster.getObject(tier))).toBeDefined();
  expect(policies()).toEqual([]);
});

test("What is in force, what nobody knows, and what a pod still bears the label of, stays", async () => {
  desk.pass(120_000);
  expect(await sweepOrphans(desk.services)).toBe(0);
  expect(policies()).toHaveLength(1);
  await released();
  await writtenTooLate();
  const pod = stored(desk.sandbox, "Pod", "checkout-1");
  if (pod === undefined) throw new Error("no pod");
  const labels = { ...pod.metadata.labels, "bulkhead.dev/quarantine": quarantine };
  desk.sandbox.apply({ ...pod, metadata: { ...pod.metadata, labels } });
  desk.pass(120_000);
  expect(await sweepOrphans(desk.services)).toBe(0);
  await desk.redis.del(`{bulkhead}:operation:${quarantine}`);
  expect(await sweepOrphans(desk.services)).toBe(0);
  expect(policies()).toHaveLength(1);
});
