import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NewEntry } from "../../src/audit/entry.ts";
import { createAuditLog } from "../../src/audit/log.ts";
import { createSpool } from "../../src/audit/spool.ts";
import { createMemoryTimers } from "../../src/commands/allowance-memory.ts";
import { createNets, type Nets } from "../../src/commands/allowance-nets.ts";
import { endAllowance } from "../../src/commands/end-allowance.ts";
import type { Services } from "../../src/commands/services.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Operation } from "../../src/policy/operation.ts";
import { createEpoch } from "../../src/scheduler/epoch.ts";
import { createTimers } from "../../src/scheduler/timers.ts";
import { recordedTracing } from "../recorded-tracing.ts";
import { waitFor } from "../wait.ts";
import { allowanceObject, startTimedCluster } from "./allowance-world.ts";
import { startDesk, type TestDesk } from "./desk.ts";

const id = "a-7f3kd2m";
let world: Awaited<ReturnType<typeof startTimedCluster>>;
let desk: TestDesk;
let services: Services;
const running: Nets[] = [];

beforeEach(async () => {
  world = await startTimedCluster({ watch: true });
  desk = await startDesk({
    services: { clusters: new Map([["sandbox", { cluster: world.cluster, enforcement: "enforced" }]]) },
  });
  services = { ...desk.services, timers: createTimers(desk.redis) };
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((nets) => nets.stop()));
  await desk.close();
  await world[Symbol.asyncDispose]();
});

function startNets(changes: Partial<Services> = {}, graceMs = () => 30): Nets {
  const nets = createNets({ services: { ...services, ...changes }, outletFor: () => desk.outlet, graceMs });
  running.push(nets);
  return nets;
}

/** An allowance that is in force, as it is stored. */
async function inForce(changes: Partial<Operation> = {}): Promise<void> {
  const accepted = await services.operations.accept({
    version: 3,
    id,
    kind: "allowance",
    state: "in-force",
    revision: 0,
    delivery: "d",
    principal: { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" },
    origin: { source: "slack", channel: "C1", command: "allow allow-dns", at: Date.now() },
    target: { cluster: "sandbox", namespace: "payments" },
    reason: "the database fails over",
    card: { channel: "C1", ts: "7.0" },
    steps: [],
    result: { headline: "OPEN: allow-dns in payments", tone: "good", lines: [], audited: "" },
    allowance: { ttlSeconds: 60, maxSeconds: 600, endsAt: world.now() + 60_000 },
    ...changes,
  });
  if (accepted.kind === "accepted" && accepted.lease !== undefined) await services.leases.end(accepted.lease);
}

const entriesOf = async (kind: string) =>
  (await services.audit.read({ operation: id })).filter((one) => one.kind === kind);
const ended = () => waitFor(async () => (await services.operations.get(id))?.allowance?.ended);

test("A sweep closes what is past its end and nothing else, tells audit, record and card of it once, and sets timers for the rest", async () => {
  const foreign = allowanceObject();
  const quarantine = {
    ...foreign,
    metadata: { ...foreign.metadata, name: "bulkhead-q-7f3kd2m", labels: { [marks.kind]: "quarantine" } },
  };
  world.sandbox.apply(
    allowanceObject(),
    quarantine,
    { ...foreign, metadata: { ...foreign.metadata, name: "bulkhead-a-7f3kd2m-60-600-0-look" } },
    allowanceObject({ operation: "a-aaaaaaa", ttlSeconds: 3_600, maxSeconds: 7_200 }),
  );
  await inForce();
  world.pass(61_000);
  const [nets, other] = [startNets(), startNets()];
  await Promise.all([nets.sweep(), other.sweep()]);
  expect(await ended()).toMatchObject({ why: "expired", lateMs: expect.any(Number) });
  expect(world.policies()).toHaveLength(3);
  expect(await services.operations.get(id)).toMatchObject({
    state: "done",
    result: { headline: expect.stringMatching(/^CLOSED: payments, closed at most .* after its end$/) },
  });
  const [entry, ...more] = await entriesOf("ended");
  expect(entry).toMatchObject({
    id: `${id}:ended`,
    detail: { why: "expired", objects: [{ object: expect.any(String) }] },
  });
  expect(more).toEqual([]);
  const cards = desk.shown.filter(({ reply }) => reply.operation === id);
  expect(cards).toMatchObject([{ card: { ts: "7.0" }, reply: { headline: expect.stringContaining("CLOSED") } }]);
  // That of the one that is closed finds nothing.
  expect(await services.timers?.count()).toBe(2);
  expect(await services.timers?.claim(5)).toHaveLength(1);
  expect(desk.events).toContainEqual(expect.objectContaining({ kind: "closed", net: "memory" }));
});

test("The end of an allowance by its time is in its operation's trace", async () => {
  const tracing = recordedTracing();
  await inForce();
  world.sandbox.apply(allowanceObject());
  world.pass(61_000);
  const nets = startNets({ tracing });
  await nets.sweep();
  await ended();
  await nets.stop();
  expect(tracing.recorded.map(({ way }) => way)).toEqual([
    "end allowance",
    "end allowance > append audit",
    "end allowance > show card",
  ]);
  expect(tracing.recorded[0]?.said).toEqual({
    "bulkhead.operation": id,
    "bulkhead.kind": "allowance",
    "k8s.cluster.name": "sandbox",
    "k8s.namespace.name": "payments",
    "bulkhead.end": "expired",
    "bulkhead.late_ms": expect.any(Number),
  });
});

test("Without Redis the timers of this process close in time, the end is on the spool, and the record follows once Redis is back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-nets-"));
  const told: NewEntry[] = [];
  const spool = createSpool(folder, { maxBytes: 1_000_000, now: Date.now, onProblem: () => undefined });
  const away = desk.redis.duplicate({ lazyConnect: true, enableOfflineQueue: false });
  const audit = createAuditLog(away, {
    onEntry: () => undefined,
    spooling: { spool, onUnchained: (entry) => void told.push(entry) },
  });
  let isAway = true;
  const gone = () => Promise.reject(new Error("Redis is away"));
  const operations = new Proxy(services.operations, {
    get: (target, key: keyof Services["operations"]) => (isAway ? gone : target[key]),
  });
  await inForce();
  world.sandbox.apply(allowanceObject({ ttlSeconds: 60 }));
  world.pass(59_600);
  const nets = startNets({
    operations,
    audit: { ...audit, append: (entry, options) => (isAway ? audit : services.audit).append(entry, options) },
  });
  await waitFor(() => world.policies().length === 0);
  await waitFor(() => told.length === 1);
  expect(told[0]).toMatchObject({
    id: `${id}:ended`,
    kind: "ended",
    actor: { kind: "scheduler" },
    detail: { why: "expired" },
  });
  isAway = false;
  await nets.sweep();
  expect((await services.operations.get(id))?.state).toBe("done");
  expect(told).toHaveLength(1);
  away.disconnect();
  await rm(folder, { recursive: true, force: true });
});

test("After a flush the next look puts timers and records back from the objects, and the audit says so", async () => {
  world.sandbox.apply(allowanceObject({ ttlSeconds: 500 }));
  const epoch = createEpoch(desk.redis);
  expect(await epoch.isNew()).toBe(true);
  epoch.seen();
  expect(await epoch.isNew()).toBe(false);
  await desk.redis.flushdb();
  expect(await epoch.isNew()).toBe(true);
  const nets = startNets();
  await nets.sweep();
  expect(await services.timers?.count()).toBe(1);
  expect(await services.operations.get(id)).toMatchObject({
    kind: "allowance",
    state: "in-force",
    principal: { kind: "slack", team: "T1", user: "U1" },
    reason: "the database fails over",
    target: { cluster: "sandbox", namespace: "payments" },
    allowance: { ttlSeconds: 500, maxSeconds: 600, endsAt: expect.any(Number) },
  });
  await nets.sweep();
  expect(await entriesOf("rebuilt")).toHaveLength(1);
});

test("Who ended it before its time is in the audit and on the card, and it is told once", async () => {
  await inForce();
  const operation = (await services.operations.get(id))!;
  const by = operation.principal;
  const ending = { operation, end: { at: world.now(), lateMs: -30_000, why: "ended", by } as const, detail: {} };
  await endAllowance(services, ending, () => desk.outlet);
  await endAllowance(services, ending, () => desk.outlet);
  const [entry, ...more] = await entriesOf("ended");
  expect(entry).toMatchObject({ actor: by, summary: "ended by alice (U1) 30 s before its end" });
  expect(more).toEqual([]);
  expect(desk.shown).toMatchObject([
    { reply: { headline: "CLOSED: payments, ended by alice (U1) 30 s before its end" } },
  ]);
  // Nothing is owed.
  expect(await services.leases.claim(5)).toEqual([]);
});

test("What somebody else deleted is found gone, and the record ends by that", async () => {
  await inForce();
  const nets = startNets();
  await nets.sweep();
  expect((await services.operations.get(id))?.state).toBe("in-force");
  await nets.sweep();
  expect(await services.operations.get(id)).toMatchObject({ state: "done", allowance: { ended: { why: "gone" } } });
});

test("What failed and was never seen in the cluster is ended as that: nobody is said to have deleted it (invariant 5)", async () => {
  await inForce({
    state: "failed",
    steps: [{ step: "confirmed", at: 1 }],
    allowance: { ttlSeconds: 60, maxSeconds: 600 },
    result: { headline: "Failed: no answer", tone: "bad", lines: [], audited: "" },
  });
  const nets = startNets();
  await nets.sweep();
  await nets.sweep();
  expect(await services.operations.get(id)).toMatchObject({ state: "failed", allowance: { ended: { why: "unseen" } } });
  const [entry, ...more] = await entriesOf("ended");
  expect(entry?.summary).toBe("nothing of it is in the cluster, and nobody saw that anything was");
  expect(entry?.detail).toMatchObject({ why: "unseen" });
  expect(more).toEqual([]);
});

test("A raised annotation and a changed spec are said once in the audit and on the card, and the end that was granted holds", async () => {
  await inForce();
  const object = allowanceObject();
  world.sandbox.apply(object);
  const { name } = object.metadata;
  const path = `/metadata/annotations/${marks.ttlSeconds.replace("/", "~1")}`;
  await world.cluster.patchPolicy("payments", name, [
    { op: "replace", path, value: "600" },
    { op: "replace", path: "/spec/egress", value: [] },
  ]);
  const nets = startNets();
  await nets.sweep();
  await nets.sweep();
  expect(await entriesOf("altered")).toHaveLength(2);
  expect((await services.operations.get(id))?.result?.lines).toEqual([
    expect.stringMatching(/^ALTERED by somebody else: .* its spec was changed/),
    expect.stringMatching(/^ALTERED by somebody else: .* says more than was granted/),
  ]);
  world.pass(61_000);
  await nets.sweep();
  await waitFor(() => world.policies().length === 0);
});

test("A label that calls our object a quarantine keeps no net off it", async () => {
  const object = allowanceObject({ labels: { [marks.kind]: "quarantine", [marks.operation]: id } });
  world.sandbox.apply(object);
  await inForce();
  world.pass(61_000);
  const nets = startNets();
  await nets.sweep();
  await waitFor(() => world.policies().length === 0);
});

test("A timer of Redis that comes too early says when to come again, and one whose object is gone is done", async () => {
  world.sandbox.apply(allowanceObject());
  const nets = startNets();
  const { name } = allowanceObject().metadata;
  const timer = { id: `sandbox payments/${name}`, payload: id };
  const againMs = await nets.onTimer(timer);
  expect(againMs).toBeGreaterThan(55_000);
  expect(againMs).toBeLessThanOrEqual(62_000);
  world.pass(62_000);
  expect(await nets.onTimer(timer)).toBeUndefined();
  expect(world.policies()).toEqual([]);
  expect(await nets.onTimer(timer)).toBeUndefined();
});

test("A timer of sixty days does not fire at once, one that fails is tried again, and one that is dropped never fires", async () => {
  const closed: string[] = [];
  let failures = 2;
  const close = ({ uid }: { readonly uid: string }) => {
    closed.push(uid);
    return uid === "failing" && failures-- > 0 ? Promise.reject(new Error("no")) : Promise.resolve(undefined);
  };
  const memory = createMemoryTimers({
    close,
    untilEnd: ({ endsAt }) => Math.max(0, endsAt - Date.now()),
    graceMs: () => 0,
  });
  const followed = (uid: string, inMs: number) => ({
    cluster: "c",
    namespace: "n",
    name: uid,
    uid,
    operation: id,
    endsAt: Date.now() + inMs,
  });
  memory.put(followed("far", 60 * 86_400_000));
  memory.put(followed("dropped", 20));
  memory.drop("dropped");
  memory.put(followed("failing", 10));
  await waitFor(() => memory.all().length === 1, { timeoutMs: 15_000 });
  expect(closed).toEqual(["failing", "failing", "failing"]);
  memory.stop();
});
