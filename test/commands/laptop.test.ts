import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adoptRecords } from "../../src/commands/adopt.ts";
import { createLaptopJournal, readRecord } from "../../src/commands/laptop.ts";
import { createDesk } from "../../src/commands/run.ts";
import { sealedRecords } from "../../src/commands/seal.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { startDesk, stored, type TestDesk } from "./desk.ts";

const jane: Principal = { kind: "terminal", user: "jane", source: "client-certificate" };
const labels = { app: "checkout", team: "core" };

let bot: TestDesk;

beforeEach(async () => {
  bot = await startDesk();
  bot.sandbox.apply(
    ...["payments", "bulkhead"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    },
  );
});

afterEach(() => bot.close());

const kept = () => ({ all: bot.records, sealed: sealedRecords(bot.records, "a secret of the replicas") });

let deliveries = 0;

/** A terminal with the same cluster and no Redis. */
function terminal() {
  const desk = createDesk({ ...bot.services, ...createLaptopJournal(bot.records) });
  const outlet = { show: () => Promise.resolve({ card: undefined, reached: false }) };
  const from = () => ({ source: "terminal", channel: undefined, delivery: `terminal:${deliveries++}` }) as const;
  return {
    type: (text: string) => desk.run({ ...bot.request(text, jane), ...from() }, outlet),
    confirm: (operation = "") =>
      desk.press({ ...bot.request("", jane), ...from(), action: "confirm", operation, card: undefined }, outlet),
  };
}

async function quarantine(): Promise<string> {
  const laptop = terminal();
  const { operation = "" } = await laptop.type("quarantine payments/checkout-1 --confirm checkout-1 odd traffic");
  expect(await laptop.confirm(operation)).toMatchObject({ outcome: "ok" });
  return operation;
}

async function recorded() {
  return (await bot.records.list()).map(({ text }) => readRecord(text));
}

const policies = () => bot.sandbox.objects("NetworkPolicy", "payments");
const labelsOfPod = () => stored(bot.sandbox, "Pod", "checkout-1")?.metadata.labels;

describe("a terminal without Redis", () => {
  test("quarantines, and keeps operation and audit entries in one ConfigMap", async () => {
    const operation = await quarantine();
    expect(labelsOfPod()).toEqual({ team: "core", [marks.quarantine]: operation });
    expect(policies()).toHaveLength(1);
    const [record, ...others] = await recorded();
    expect(others).toEqual([]);
    expect(record?.operation).toMatchObject({ id: operation, state: "in-force", principal: jane });
    expect(record?.entries.map(({ kind }) => kind)).toEqual(["intent", "outcome"]);
  });

  test("has recorded the intent before it asks for a NetworkPolicy", async () => {
    const laptop = terminal();
    const { operation } = await laptop.type("quarantine payments/checkout-1 --confirm checkout-1");
    bot.sandbox.faults.inject({ method: "POST", path: "networkpolicies", times: 50 }, { type: "status", code: 403 });
    expect(await laptop.confirm(operation)).toMatchObject({ outcome: "failed" });
    const [record] = await recorded();
    expect(record?.entries.map(({ kind }) => kind)).toContain("intent");
    expect(policies()).toEqual([]);
    expect(labelsOfPod()).toEqual(labels);
  });

  test("writes nothing where the ConfigMap cannot be created", async () => {
    bot.sandbox.faults.inject({ method: "POST", path: "configmaps", times: 50 }, { type: "status", code: 403 });
    const reply = await terminal().type("quarantine payments/checkout-1 --confirm checkout-1");
    expect(reply).toMatchObject({ outcome: "failed", headline: "Not accepted: quarantine payments/checkout-1" });
    expect(policies()).toEqual([]);
    expect(labelsOfPod()).toEqual(labels);
    expect(await recorded()).toEqual([]);
  });

  test("writes nothing where the intent cannot be put into the ConfigMap", async () => {
    const laptop = terminal();
    const { operation } = await laptop.type("quarantine payments/checkout-1 --confirm checkout-1");
    const [record] = await bot.records.list();
    await bot.records.remove(record!);
    expect(await laptop.confirm(operation)).toMatchObject({ outcome: "refused" });
    expect(policies()).toEqual([]);
    expect(labelsOfPod()).toEqual(labels);
  });
});

describe("adoption by the bot", () => {
  const kinds = async (operation: string) => (await bot.services.audit.read({ operation })).map(({ kind }) => kind);

  test("puts operation and entries into the chain, removes the ConfigMap, and a release then works", async () => {
    const operation = await quarantine();
    expect((await adoptRecords(bot.services, kept())).taken).toHaveLength(1);
    expect(await kinds(operation)).toEqual(["intent", "outcome", "adopted"]);
    expect((await bot.services.audit.read({ operation }))[0]?.actor).toEqual(jane);
    expect(await bot.records.list()).toEqual([]);
    const release = await bot.type(`release ${operation}`);
    expect(await bot.press("confirm", release.operation)).toMatchObject({ headline: "Released: payments/checkout-1" });
    expect(labelsOfPod()).toEqual(labels);
    expect(policies()).toEqual([]);
  });

  test("of the same record twice, by two replicas at once or after a crash, is once", async () => {
    const operation = await quarantine();
    const crashing = { ...bot.records, remove: () => Promise.reject(new Error("the replica died")) };
    expect(await adoptRecords(bot.services, { ...kept(), all: crashing })).toEqual({ left: 1, taken: [] });
    const adopted = await Promise.all([1, 2].map(() => adoptRecords(bot.services, kept())));
    expect(adopted.flatMap(({ taken }) => taken)).toHaveLength(1);
    expect((await adoptRecords(bot.services, kept())).taken).toHaveLength(0);
    expect(await kinds(operation)).toEqual(["intent", "outcome", "adopted"]);
    expect(await bot.services.operations.list({})).toHaveLength(1);
  });

  test("leaves a ConfigMap to which a terminal still writes, and ends it when that was abandoned", async () => {
    const { operation = "" } = await terminal().type("quarantine payments/checkout-1 --confirm checkout-1");
    expect((await adoptRecords(bot.services, kept())).taken).toHaveLength(0);
    expect(await recorded()).toHaveLength(1);
    bot.pass(11 * 60_000);
    expect((await adoptRecords(bot.services, kept())).taken).toHaveLength(1);
    expect(await bot.services.operations.get(operation)).toMatchObject({ state: "cancelled" });
    expect(await recorded()).toEqual([]);
  });
});
