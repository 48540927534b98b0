import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { createSpool } from "../../src/audit/spool.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { withFallback } from "../../src/commands/fallback.ts";
import { sweepKept } from "../../src/commands/keep.ts";
import { readRecord } from "../../src/commands/laptop.ts";
import { createDesk } from "../../src/commands/run.ts";
import { sealedRecords } from "../../src/commands/seal.ts";
import type { Services } from "../../src/commands/services.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { createIncidents } from "../../src/scheduler/incidents.ts";
import { createLeases } from "../../src/scheduler/leases.ts";
import { createLimits } from "../../src/scheduler/limits.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let server: OwnRedis;
let redis: Redis;
let folder: string;
let services: Services;
let journals: Pick<Parameters<typeof sweepKept>[0], "redis" | "fallback">;
let chain: ChainStore;

beforeEach(async () => {
  [desk, server, folder] = await Promise.all([startDesk(), startOwnRedis(), mkdtemp(join(tmpdir(), "bulkhead-away-"))]);
  redis = connectRedis(server.url, { onError: () => undefined });
  await untilReady(redis, 5_000);
  const now = () => desk.services.now();
  const spool = createSpool(folder, { maxBytes: 1_000_000, now, onProblem: () => undefined });
  const audit = createAuditLog(redis, {
    onEntry: () => undefined,
    spooling: { spool, onUnchained: () => undefined },
  });
  chain = audit;
  const chained = {
    operations: createOperations(redis, { now }),
    leases: createLeases(redis),
    incidents: createIncidents(redis),
    limits: createLimits(redis),
    audit,
  };
  const fallback = withFallback(chained, sealed());
  journals = { redis: chained, fallback };
  services = { ...desk.services, ...fallback };
  desk.sandbox.apply(
    ...["payments", "bulkhead"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    },
  );
});

afterEach(async () => {
  redis.disconnect();
  await Promise.all([desk.close(), server.stop(), rm(folder, { recursive: true, force: true })]);
});

const type = (text: string) => createDesk(services).run(desk.request(text), desk.outlet);
const pressOf = (action: string, operation = "") => {
  const { text: _text, ...asked } = desk.request("");
  return { ...asked, action, operation, card: undefined };
};
const press = (action: string, operation?: string) =>
  createDesk(services).press(pressOf(action, operation), desk.outlet);
const labels = () => stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels;
const kept = async () => (await desk.records.list()).map(({ text }) => readRecord(text)?.operation);
/** What the bot does again and again. */
async function sweep(): Promise<void> {
  await sweepKept({
    services,
    ...journals,
    records: { all: desk.records, sealed: sealed() },
    outletFor: () => desk.outlet,
  });
  await chain.replaySpool();
}

const sealed = () => sealedRecords(desk.records, "a secret of the replicas");

async function redisReturns(): Promise<void> {
  await server.restart();
  await waitFor(() => redis.status === "ready");
}

test("Redis away from the beginning: a quarantine is planned, confirmed and carried out, and its card says where it lies", async () => {
  await server.kill();
  const plan = await type("quarantine payments/checkout-1 odd traffic");
  expect(plan.outcome).toBe("needs-confirmation");
  expect(wordsIn(plan)).toContain(`ConfigMap bulkhead-${plan.operation}`);
  const done = await press("confirm", plan.operation);
  expect(done.headline).toMatch(/^ISOLATED/);
  expect(wordsIn(done)).toMatch(/spooled/);
  expect(labels()).toMatchObject({ "bulkhead.dev/quarantine": plan.operation });
  expect(await kept()).toMatchObject([{ id: plan.operation, state: "in-force", kept: true }]);

  await expect(sweep()).rejects.toThrow();
  await redisReturns();
  await sweep();
  expect(await kept()).toEqual([]);
  const operation = await services.operations.get(plan.operation ?? "");
  expect(operation).toMatchObject({ state: "in-force" });
  expect(operation).not.toHaveProperty("kept");
  const kinds = (await services.audit.read({ operation: plan.operation ?? "" })).map(({ kind }) => kind);
  expect(kinds).toEqual(["intent", "outcome", "adopted"]);
  expect(await verifyChain(chain.all(), await services.audit.head())).toMatchObject({ ok: true });
  const card = desk.shown.findLast(({ reply }) => reply.operation === plan.operation)?.reply;
  expect(card && wordsIn(card)).not.toContain("ConfigMap");
  const release = await type(`release ${plan.operation}`);
  expect((await press("confirm", release.operation)).headline).toBe("Released: payments/checkout-1");
  expect(labels()).toEqual({ app: "checkout" });
});

test("The same command delivered twice while Redis is away is one operation", async () => {
  await server.kill();
  const request = desk.request("quarantine payments/checkout-1");
  const replies = await Promise.all([1, 2, 3].map(() => createDesk(services).run(request, desk.outlet)));
  expect(new Set(replies.map(({ operation }) => operation)).size).toBe(1);
  expect(await kept()).toHaveLength(1);
  expect(desk.shown.filter(({ reply }) => reply.outcome === "needs-confirmation")).toHaveLength(1);
});

test("Redis dies between plan and Confirm: the press says what to do, and the command typed again goes through", async () => {
  const plan = await type("quarantine payments/checkout-1");
  await server.kill();
  const pressed = await press("confirm", plan.operation);
  expect(pressed.outcome).toBe("failed");
  expect(wordsIn(pressed)).toMatch(/type the command again/i);
  expect(labels()).toEqual({ app: "checkout" });
  const again = await type("quarantine payments/checkout-1");
  expect((await press("confirm", again.operation)).headline).toMatch(/^ISOLATED/);
});

test("Redis dies in the middle: the pod is isolated, the outcome is kept, and Redis has it later", async () => {
  const plan = await type("quarantine payments/checkout-1");
  const [entry] = services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const cluster = {
    ...entry.cluster,
    async patchPod(...args: Parameters<typeof entry.cluster.patchPod>) {
      await server.kill();
      return entry.cluster.patchPod(...args);
    },
  };
  services = { ...services, clusters: new Map([["sandbox", { ...entry, cluster }]]) };
  const done = await press("confirm", plan.operation);
  expect(done.headline).toMatch(/^ISOLATED/);
  expect(await kept()).toMatchObject([{ id: plan.operation, state: "in-force" }]);
  await redisReturns();
  await sweep();
  expect(await services.operations.get(plan.operation ?? "")).toMatchObject({ state: "in-force" });
  const kinds = (await services.audit.read({ operation: plan.operation ?? "" })).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind !== "adopted")).toEqual(["intent", "outcome"]);
});

test("A replica that dies while Redis is away: another goes on with what it kept", async () => {
  await server.kill();
  const plan = await type("quarantine payments/checkout-1");
  const [entry] = services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const died = Promise.withResolvers<void>();
  const cluster = {
    ...entry.cluster,
    patchPod() {
      died.resolve();
      return new Promise<never>(() => undefined);
    },
  };
  const dying = { ...services, clusters: new Map([["sandbox", { ...entry, cluster }]]) };
  void createDesk(dying).press(pressOf("confirm", plan.operation), desk.outlet);
  await died.promise;
  desk.pass(31_000);
  await expect(sweep()).rejects.toThrow();
  expect(labels()).toMatchObject({ "bulkhead.dev/quarantine": plan.operation });
  expect(await kept()).toMatchObject([{ state: "in-force", result: { tone: "good" } }]);
});

test("A plan that was kept can still be confirmed once Redis is back, before and after it was taken over", async () => {
  await server.kill();
  const plan = await type("quarantine payments/checkout-1");
  await redisReturns();
  const card = await press("show", plan.operation);
  expect(card.headline).toMatch(/^Plan/);
  await sweep();
  expect(await kept()).toEqual([]);
  expect((await press("confirm", plan.operation)).headline).toMatch(/^ISOLATED/);
});

test.each([
  ["by its id", (id: string) => type(`release ${id}`)],
  ["by its pod", () => type("release payments/checkout-1")],
  ["by the button of a card that Redis knows", (id: string) => press("release", id)],
])(
  "A release %s while Redis is away writes nothing, and the kubectl lines are there to be decided upon",
  async (how, release) => {
    const plan = await type("quarantine payments/checkout-1");
    await press("confirm", plan.operation);
    const id = plan.operation ?? "";
    const before = { labels: labels(), policies: desk.sandbox.objects("NetworkPolicy", "payments") };
    await server.kill();
    const reply = await release(id);
    expect(reply.outcome).toBe("failed");
    expect({ labels: labels(), policies: desk.sandbox.objects("NetworkPolicy", "payments") }).toEqual(before);
    if (how.startsWith("by the button")) return expect(wordsIn(reply)).toContain("/np release");
    const lines = reply.sections.find(({ kind }) => kind === "code");
    expect(lines).toMatchObject({
      text: [
        "kubectl label pod checkout-1 -n payments --overwrite app=checkout",
        "sleep 2",
        "kubectl label pod checkout-1 -n payments bulkhead.dev/quarantine-",
        `kubectl delete networkpolicy bulkhead-${id} -n payments`,
      ].join("\n"),
    });
  },
);

test("What Redis accepted and could not say is not carried out twice: the quarantine that is kept holds, and is released (invariant 9)", async () => {
  const { operations } = journals.redis;
  const deaf: typeof operations = {
    ...operations,
    async accept(operation) {
      await operations.accept(operation);
      throw new Error("no answer");
    },
  };
  const fallback = withFallback({ ...journals.redis, operations: deaf }, sealed());
  services = { ...desk.services, ...fallback };
  const { operation: id = "" } = await type("quarantine payments/checkout-1 odd traffic");
  expect((await press("confirm", id)).headline).toMatch(/^ISOLATED/);
  expect((await operations.get(id))?.state).toBe("accepted");

  const unreadable = { ...sealed(), get: () => Promise.reject(new Error("the cluster is away")) };
  await expect(withFallback(journals.redis, unreadable).operations.get(id)).rejects.toThrow("the cluster is away");

  // As a replica would have it that planned it anew, and found the pod cut off already.
  const known = (await operations.get(id))!;
  await operations.replace({ ...known, state: "refused" });
  expect((await fallback.operations.get(id))?.state).toBe("in-force");
  await sweep();
  expect(await kept()).toEqual([]);
  expect(await operations.get(id)).toMatchObject({ state: "in-force", result: expect.anything() });
  services = { ...desk.services, ...journals.fallback };
  const release = await type(`release ${id}`);
  expect((await press("confirm", release.operation)).headline).toMatch(/^Released/);
});

test("The release button of a quarantine that is kept in the cluster answers with the kubectl lines", async () => {
  await server.kill();
  const plan = await type("quarantine payments/checkout-1");
  await press("confirm", plan.operation);
  const reply = await press("release", plan.operation);
  expect(reply.headline).toBe("Not done: a release opens, and Redis does not answer");
  expect(wordsIn(reply)).toContain(`kubectl delete networkpolicy bulkhead-${plan.operation} -n payments`);
  expect(labels()).toMatchObject({ "bulkhead.dev/quarantine": plan.operation });
});

test("Status lists what is kept in the cluster while Redis is away, to those who may see it", async () => {
  await server.kill();
  const plan = await type("quarantine payments/checkout-1");
  await press("confirm", plan.operation);
  const line = `${plan.operation}: quarantine payments/checkout-1, in-force, by alice (U1): `;
  const said = wordsIn(await type("status"));
  expect(said).toContain(line);
  expect(said).toContain("kept in the cluster until Redis is back");
  expect(wordsIn(await type("status shop"))).not.toContain("kept in the cluster until Redis is back");
});

test("Who may not release is told no kubectl line", async () => {
  const plan = await type("quarantine payments/checkout-1");
  await press("confirm", plan.operation);
  await server.kill();
  const reply = await createDesk(services).run(desk.request(`release ${plan.operation}`, bob), desk.outlet);
  expect(wordsIn(reply)).not.toContain("kubectl label");
});

test("What was accepted into the cluster and never planned is planned once Redis is back", async () => {
  await server.kill();
  const [entry] = services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const died = Promise.withResolvers<void>();
  const cluster = {
    ...entry.cluster,
    getPod() {
      died.resolve();
      return new Promise<never>(() => undefined);
    },
  };
  const dying = { ...services, clusters: new Map([["sandbox", { ...entry, cluster }]]) };
  const request = desk.request("quarantine payments/checkout-1");
  void createDesk(dying).run(request, desk.outlet);
  await died.promise;
  await redisReturns();
  desk.pass(31_000);
  await sweep();
  const { operation = "" } = createDesk(services).understand(request);
  expect(await kept()).toEqual([]);
  await redis.zadd("{bulkhead}:leases", "0", operation);
  const takeover = createTakeover(services, () => desk.outlet);
  await takeover.sweep();
  await takeover.drain();
  expect(await services.operations.get(operation)).toMatchObject({ state: "planned" });
  expect(desk.shown.at(-1)?.reply).toMatchObject({ operation, outcome: "needs-confirmation" });
});
