import { afterEach, expect, test } from "vitest";
import { createNets } from "../../src/commands/allowance-nets.ts";
import { beat, readHeartbeat, reaperState } from "../../src/commands/heartbeat.ts";
import { reap } from "../../src/commands/reap.ts";
import { createRecords } from "../../src/kubernetes/records.ts";
import { marks } from "../../src/policy/marks.ts";
import { allowanceObject, startTimedCluster } from "./allowance-world.ts";
import { startDesk, wordsIn } from "./desk.ts";

const worlds: Awaited<ReturnType<typeof startTimedCluster>>[] = [];

async function startWorld(name: string) {
  const world = await startTimedCluster({ name });
  worlds.push(world);
  return world;
}

afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world[Symbol.asyncDispose]()));
});

/** A run whose waits are short; and what it wrote. */
function running(changes: { readonly dryRun?: boolean; readonly withinMs?: number } = {}) {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 5)));
  let asked = 0;
  // Each look at the clock is 100 ms: the time is up after so many tries.
  const monotonic = () => (asked += 1) * 100;
  return {
    lines,
    reaping: {
      dryRun: false,
      withinMs: 2_000,
      wait,
      monotonic,
      write: (line: object) => void lines.push({ ...line }),
      ...changes,
    },
  };
}

test("Of two clusters exactly what is past its end goes: no foreign object, no quarantine, no lockdown, nothing whose time is not up", async () => {
  const [one, two] = [await startWorld("one"), await startWorld("two")];
  const ours = allowanceObject();
  const other = allowanceObject({ operation: "a-aaaaaaa", ttlSeconds: 3_600, maxSeconds: 7_200 });
  const named = (name: string, labels: Record<string, string>) => ({
    ...ours,
    metadata: { ...ours.metadata, name, labels },
  });
  const labels = { [marks.kind]: "allowance", [marks.operation]: "a-7f3kd2m" };
  const stay = [
    named("bulkhead-a-7f3kd2m-60-600-0-aaaaaaaa", labels),
    named("bulkhead-q-7f3kd2m", { [marks.kind]: "quarantine", [marks.operation]: "q-7f3kd2m" }),
    named("bulkhead-l-7f3kd2m", { [marks.kind]: "lockdown", [marks.operation]: "l-7f3kd2m" }),
    named("allow-dns", labels),
    other,
  ];
  const go = [
    ours,
    allowanceObject({ index: 1, annotations: {} }),
    allowanceObject({ index: 2, annotations: { [marks.ttlSeconds]: "for ever" } }),
    allowanceObject({ index: 3, maxSeconds: 61, annotations: { [marks.ttlSeconds]: "999999999" }, labels: {} }),
    // Whatever somebody's labels say of it, its name says what it is.
    allowanceObject({ index: 4, labels: { [marks.kind]: "quarantine" } }),
  ];
  for (const { sandbox } of [one, two]) sandbox.apply(...stay, ...go);
  one.pass(62_000);
  two.pass(62_000);
  const { lines, reaping } = running();
  const found = await Promise.all([one, two].map(({ cluster }) => reap(cluster, reaping)));
  const left = stay.map(({ metadata }) => metadata.name).toSorted();
  expect(one.policies().toSorted()).toEqual(left);
  expect(two.policies().toSorted()).toEqual(left);
  expect(found).toMatchObject([
    { problems: [], read: true },
    { problems: [], read: true },
  ]);
  expect(found.map(({ ended }) => ended.length)).toEqual([5, 5]);
  expect(lines.filter(({ result }) => result === "closed")).toHaveLength(10);
  const [inForce, ...more] = lines.filter(({ cluster, result }) => cluster === "one" && result !== "closed");
  expect(inForce).toMatchObject({ result: "in-force", name: other.metadata.name, operation: "a-aaaaaaa" });
  expect(more).toEqual([]);
});

test("A dry run says what would end, and ends nothing", async () => {
  const world = await startWorld("one");
  world.sandbox.apply(allowanceObject());
  world.pass(62_000);
  const { lines, reaping } = running({ dryRun: true });
  expect(await reap(world.cluster, reaping)).toMatchObject({ ended: [], problems: [] });
  expect(lines).toMatchObject([{ result: "would-close", cluster: "one" }]);
  expect(world.policies()).toHaveLength(1);
});

test("What fails is tried again; what cannot be ended, a cluster that cannot be read, and what a finalizer keeps are problems", async () => {
  const [one, two] = [await startWorld("one"), await startWorld("two")];
  one.sandbox.apply(
    allowanceObject(),
    allowanceObject({ index: 1, finalizers: ["example.com/keep"] }),
    allowanceObject({ index: 2 }),
  );
  one.pass(62_000);
  one.sandbox.faults.inject({ method: "DELETE", path: "-600-0-", times: 2 }, { type: "status", code: 403 });
  one.sandbox.faults.inject({ method: "DELETE", path: "-600-2-", times: 99 }, { type: "status", code: 403 });
  two.sandbox.faults.inject({ times: 99 }, { type: "status", code: 403 });
  const { reaping } = running({ withinMs: 8_000 });
  const [first, second] = await Promise.all([one, two].map(({ cluster }) => reap(cluster, reaping)));
  expect(first?.ended).toHaveLength(1);
  expect(first?.problems.toSorted()).toEqual([
    expect.stringMatching(/-600-1-\w+ is deleted, but a finalizer keeps it in force$/),
    expect.stringMatching(/-600-2-\w+: cluster one: /),
  ]);
  expect(second).toMatchObject({ read: false, problems: [expect.stringMatching(/^could not be read: cluster two: /)] });
});

test("The heartbeat says when each cluster was last read; five minutes later it is stale, and status says both", async () => {
  const world = await startWorld("sandbox");
  const records = createRecords(world.connection, "bulkhead", "reaper");
  const desk = await startDesk({
    services: {
      clusters: new Map([["sandbox", { cluster: world.cluster, enforcement: "enforced" }]]),
      heartbeat: () => readHeartbeat(records),
    },
  });
  expect(await reaperState(desk.services, "sandbox")).toMatchObject({ state: "never" });
  expect(wordsIn(await desk.type("status"))).toContain("the reaper has never read this cluster");
  const found = [{ cluster: "sandbox", ended: [], problems: [], read: true }];
  await Promise.all([beat(records, world.now(), found), beat(records, world.now(), found)]);
  expect(await reaperState(desk.services, "sandbox")).toMatchObject({ state: "fresh" });
  expect(await reaperState(desk.services, "other")).toMatchObject({ state: "never" });
  world.pass(301_000);
  await beat(records, world.now(), [
    { cluster: "sandbox", ended: [], problems: ["could not be read: no"], read: false },
  ]);
  expect(await reaperState(desk.services, "sandbox")).toMatchObject({
    state: "stale",
    problems: ["could not be read: no"],
  });
  expect(wordsIn(await desk.type("status"))).toMatch(
    /WARNING: the reaper does not run as it should.*could not be read: no/,
  );
  world.sandbox.faults.inject({ path: "configmaps", times: 9 }, { type: "status", code: 403 });
  expect(await reaperState(desk.services, "sandbox")).toMatchObject({
    state: "stale",
    problems: [expect.stringContaining("heartbeat")],
  });
  await desk.close();
});

test("What the reaper ended while all else was away is in the audit once a replica is back, and what it only claims is not", async () => {
  const world = await startWorld("sandbox");
  const records = createRecords(world.connection, "bulkhead", "reaper");
  world.sandbox.apply(allowanceObject(), allowanceObject({ operation: "a-aaaaaaa" }));
  world.pass(62_000);
  const found = await reap(world.cluster, running().reaping);
  await beat(records, world.now(), [found]);
  // One of them is there again: the heartbeat's word does not end it.
  world.sandbox.apply(allowanceObject({ operation: "a-aaaaaaa" }));
  const desk = await startDesk({
    services: { clusters: new Map([["sandbox", { cluster: world.cluster, enforcement: "enforced" }]]) },
  });
  const nets = createNets({ services: desk.services, outletFor: () => desk.outlet });
  const heartbeat = (await readHeartbeat(records))!;
  nets.importReaped(heartbeat);
  nets.importReaped(heartbeat);
  await nets.stop();
  const entries = await desk.services.audit.read({});
  expect(entries).toMatchObject([
    {
      id: "a-7f3kd2m:ended",
      reason: "the database fails over",
      detail: { why: "expired", objects: [{ closedBy: "reaper" }] },
    },
  ]);
  expect(await desk.services.operations.get("a-7f3kd2m")).toMatchObject({
    state: "done",
    allowance: { ended: { why: "expired" } },
  });
  await desk.close();
});
