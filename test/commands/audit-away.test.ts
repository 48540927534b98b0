import { afterEach, beforeEach, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

const away = () => Promise.reject(new Error("Connection is closed."));

let desk: TestDesk;

beforeEach(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    },
  );
});

afterEach(() => desk.close());

/** The same desk with something of its services away. */
const withAway = (changes: Partial<Services>) => createDesk({ ...desk.services, ...changes });

function expectUntouched(): void {
  expect(desk.sandbox.objects("NetworkPolicy", "payments")).toEqual([]);
  expect(stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels).toEqual({ app: "checkout" });
}

test("Where the intent cannot be recorded, Confirm writes nothing and says so (invariants 1 and 10)", async () => {
  const { operation = "" } = await desk.type("quarantine payments/checkout-1");
  const without = withAway({ audit: { ...desk.services.audit, append: away } });
  const press = { ...desk.request(""), action: "confirm", operation, card: undefined };
  const reply = await without.press(press, desk.outlet);
  expect(reply).toMatchObject({ outcome: "failed", headline: "Not done: the audit log could not be written" });
  expect(wordsIn(reply)).toMatch(/Nothing was changed/);
  expect(desk.shown.at(-1)?.reply.headline).toBe(reply.headline);
  expectUntouched();
  expect(await desk.services.operations.get(operation)).toMatchObject({ state: "failed" });
  expect((await desk.press("confirm", operation)).headline).toMatch(/Not done/);
  expectUntouched();
});

test("Where a release's intent cannot be recorded, the quarantine stays whole", async () => {
  const { operation = "" } = await desk.type("quarantine payments/checkout-1");
  await desk.press("confirm", operation);
  const before = stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels;
  const release = await desk.type(`release ${operation}`);
  const without = withAway({ audit: { ...desk.services.audit, append: away } });
  const press = { ...desk.request(""), action: "confirm", operation: release.operation ?? "", card: undefined };
  expect(await without.press(press, desk.outlet)).toMatchObject({ outcome: "failed" });
  expect(desk.sandbox.objects("NetworkPolicy", "payments")).toHaveLength(1);
  expect(stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels).toEqual(before);
});

test("A command that cannot be recorded is not accepted, nothing is done, and the person is told", async () => {
  const without = withAway({ operations: { ...desk.services.operations, accept: away } });
  const reply = await without.run(desk.request("quarantine payments/checkout-1"), desk.outlet);
  expect(reply).toMatchObject({ outcome: "failed", headline: "Not accepted: quarantine payments/checkout-1" });
  expect(wordsIn(reply)).toMatch(/Nothing was done/);
  expect(desk.shown.map((one) => one.reply.headline)).toEqual([reply.headline]);
  expectUntouched();
  expect(await desk.services.operations.list({})).toEqual([]);
});

test("A refusal is given although it cannot be recorded", async () => {
  const without = withAway({ audit: { ...desk.services.audit, append: away } });
  const reply = await without.run(desk.request("quarantine db/postgres-0"), desk.outlet);
  expect(reply.outcome).toBe("refused");
});
