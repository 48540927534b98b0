import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewEntry } from "../../src/audit/entry.ts";
import { adoptRecords } from "../../src/commands/adopt.ts";
import { withFallback } from "../../src/commands/fallback.ts";
import { sweepKept } from "../../src/commands/keep.ts";
import { createLaptopJournal, recordName } from "../../src/commands/laptop.ts";
import { createDesk } from "../../src/commands/run.ts";
import { sealedRecords } from "../../src/commands/seal.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import { type Operation, operationId } from "../../src/policy/operation.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { startDesk, stored, type TestDesk } from "./desk.ts";

const jane: Principal = { kind: "terminal", user: "jane", source: "client-certificate" };
const day = 86_400_000;

let bot: TestDesk;

beforeEach(async () => {
  bot = await startDesk();
  bot.sandbox.apply(
    ...["payments", "bulkhead"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running" },
    },
  );
});

afterEach(() => bot.close());

const kept = () => ({ all: bot.records, sealed: sealedRecords(bot.records, "a secret of the replicas") });

/** Everything that the bot does by itself, with Redis there. */
async function sweep(): Promise<void> {
  const { operations, leases, audit, incidents, limits } = bot.services;
  const redis = { operations, leases, audit, incidents, limits };
  const fallback = withFallback(redis, kept().sealed);
  const services = { ...bot.services, ...fallback };
  const outletFor = () => bot.outlet;
  await sweepKept({ services, redis, fallback, records: kept(), outletFor });
  for (const id of await bot.redis.zrange("{bulkhead}:leases", "0", "-1"))
    await bot.redis.zadd("{bulkhead}:leases", "0", id);
  const takeover = createTakeover(services, outletFor);
  await takeover.sweep();
  await takeover.drain();
}

/** A genuine operation in the state, made by a terminal, to be changed into a forgery. */
async function genuine(text: string): Promise<Operation> {
  const desk = createDesk({ ...bot.services, ...createLaptopJournal(bot.records) });
  const from = { source: "terminal", channel: undefined, delivery: `terminal:${text}` } as const;
  const { operation = "" } = await desk.run({ ...bot.request(text, jane), ...from }, bot.outlet);
  const record = await bot.records.get(recordName(operation));
  if (record === undefined) throw new Error("no record");
  await bot.records.remove(record);
  return (JSON.parse(record.text) as { operation: Operation }).operation;
}

function forge(operation: unknown, entries: readonly unknown[] = [], name?: string): Promise<unknown> {
  const { id } = operation as Operation;
  return bot.records.create(name ?? recordName(id), JSON.stringify({ version: 1, operation, entries }));
}

const errors = () => bot.events.filter(({ kind }) => kind === "error");

/** Nothing of the forgery took effect, and everybody who watches errors learns of it. */
async function expectNothingDone(): Promise<void> {
  expect(bot.sandbox.objects("NetworkPolicy", "payments")).toEqual([]);
  expect(stored(bot.sandbox, "Pod", "checkout-1")?.metadata.labels).toEqual({ app: "checkout" });
  expect((await bot.services.audit.read({})).filter(({ kind }) => kind === "intent")).toEqual([]);
}

describe("A ConfigMap that somebody wrote who may write ConfigMaps", () => {
  const asRunning = (operation: Operation, now: number) => ({
    ...operation,
    state: "running",
    kept: true,
    confirmed: { by: jane, at: now - 60_000, attempt: 1 },
    steps: [{ step: "confirmed", at: now - 60_000 }],
  });

  test("and that says it was confirmed is not carried out, at once or when it is old", async () => {
    const operation = await genuine("quarantine payments/checkout-1");
    await forge(asRunning(operation, bot.services.now()));
    await sweep();
    await expectNothingDone();
    bot.pass(day);
    await sweep();
    await expectNothingDone();
    expect(await bot.services.operations.get(operation.id)).toMatchObject({ state: "failed" });
    expect(await bot.services.operations.get(operation.id)).not.toHaveProperty("confirmed");
  });

  test("under the id of a Slack operation is not even history", async () => {
    const operation = await genuine("quarantine payments/checkout-1");
    const id = operationId("quarantine", "1.2.trigger");
    const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };
    const origin = { ...operation.origin, source: "slack", channel: "C1" };
    const forged = { ...operation, id, delivery: "1.2.trigger", principal: alice, origin };
    await forge(asRunning(forged as Operation, bot.services.now()));
    await sweep();
    await expectNothingDone();
    expect(await bot.services.operations.get(id)).toBeUndefined();
    expect(errors()).toContainEqual(expect.objectContaining({ where: "adopt" }));
  });

  test("with entries about another operation leaves the chain alone", async () => {
    const operation = await genuine("quarantine payments/checkout-1");
    const other: NewEntry = {
      id: "q-7f3kd2m:intent",
      kind: "intent",
      at: new Date().toISOString(),
      operation: "q-7f3kd2m",
      verb: "quarantine",
      actor: jane,
      where: { source: "terminal" },
      summary: "forged",
      replica: "nowhere",
      detail: { snapshotHash: "0", labelsBefore: { team: "evil" } },
    };
    await forge({ ...operation, state: "in-force" }, [other]);
    await forge({ ...operation, state: "in-force" }, [{ ...other, kind: "chain" }], "bulkhead-q-other");
    await sweep();
    expect(await bot.services.audit.read({})).toEqual([]);
  });

  test("keeps no card, so that no message of the bot shows what it says", async () => {
    const operation = await genuine("quarantine payments/checkout-1");
    await forge({ ...operation, state: "in-force", card: { channel: "C1", ts: "1.0" }, liftedBy: "r-1", lifts: "q-1" });
    const shown = bot.shown.length;
    await sweep();
    const adopted = await bot.services.operations.get(operation.id);
    expect(adopted).toMatchObject({ state: "in-force" });
    for (const member of ["card", "liftedBy", "lifts"]) expect(adopted).not.toHaveProperty(member);
    expect(bot.shown).toHaveLength(shown);
  });

  test("and that is no record holds up no other", async () => {
    const operation = await genuine("quarantine payments/checkout-1");
    await bot.records.create("bulkhead-a", "no JSON");
    await bot.records.create("bulkhead-b", JSON.stringify({ version: 1, operation: { id: "q-b" }, entries: [] }));
    await forge({ ...operation, id: "q-0000000", state: "in-force" });
    await forge({ ...operation, state: "cancelled" });
    const { left, taken } = await adoptRecords(bot.services, kept());
    expect(left).toBe(3);
    expect(taken.map(({ id }) => id)).toEqual([operation.id]);
    expect(errors()).toHaveLength(3);
  });
});

describe("A sealed record", () => {
  test("is not there once somebody changed it, copied it to another name, or sealed it with another secret", async () => {
    const { sealed, all } = kept();
    const text = JSON.stringify({ version: 1, operation: { id: "q-1" }, entries: [] });
    await sealed.create("bulkhead-q-1", text);
    expect((await sealed.get("bulkhead-q-1"))?.text).toBe(text);
    const stored = (await all.get("bulkhead-q-1"))!;
    await all.create("bulkhead-q-2", stored.text);
    await sealedRecords(all, "another secret").create("bulkhead-q-3", text);
    expect((await sealed.list()).map(({ name }) => name)).toEqual(["bulkhead-q-1"]);
    await all.replace(stored, stored.text.replace("q-1", "q-9"));
    expect(await sealed.get("bulkhead-q-1")).toBeUndefined();
    expect(await sealed.list()).toEqual([]);
  });
});
