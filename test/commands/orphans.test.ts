import { afterEach, beforeEach, expect, test } from "vitest";
import { sweepOrphans } from "../../src/commands/orphans.ts";
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
