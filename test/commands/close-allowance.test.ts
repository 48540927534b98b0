import { expect, test } from "vitest";
import { closeObject, untilEnd } from "../../src/commands/close-allowance.ts";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { marks } from "../../src/policy/marks.ts";
import { json, startScriptedApi } from "../kubernetes/scripted-api.ts";
import { allowanceObject, startTimedCluster } from "./allowance-world.ts";

const expired = "expired" as const;
const ttlPath = `/metadata/annotations/${marks.ttlSeconds.replace("/", "~1")}`;

test("An object is closed once its end has passed by the server's clock, and not before; then how late is said", async () => {
  await using world = await startTimedCluster();
  const reference = allowanceObject();
  world.sandbox.apply(reference);
  expect(await closeObject(world, { reference, why: expired })).toMatchObject({ kind: "not-yet" });
  world.pass(58_000);
  expect(await closeObject(world, { reference, why: expired })).toMatchObject({ kind: "not-yet" });
  world.pass(3_000);
  const closed = await closeObject(world, { reference, why: expired });
  expect(closed).toMatchObject({ kind: "closed", known: { operation: "a-7f3kd2m", ttlSeconds: 60 } });
  expect(closed).toMatchObject({ lateMs: expect.any(Number) });
  const { lateMs } = closed as { lateMs: number };
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(5_000);
  expect(world.policies()).toEqual([]);
  expect(await closeObject(world, { reference, why: expired })).toEqual({ kind: "gone" });
});

test("A person ends it before its time, and the lateness is negative", async () => {
  await using world = await startTimedCluster();
  const reference = allowanceObject();
  world.sandbox.apply(reference);
  const closed = await closeObject(world, { reference, why: "ended" });
  expect(closed.kind === "closed" && closed.lateMs).toBeLessThan(-50_000);
});

test("An extension that comes between looking and deleting holds", async () => {
  await using world = await startTimedCluster();
  const reference = allowanceObject();
  world.sandbox.apply(reference);
  world.pass(61_000);
  const { cluster } = world;
  let raced = false;
  const racing = {
    ...cluster,
    async deleteObject(...args: Parameters<typeof cluster.deleteObject>) {
      const patch = [{ op: "replace", path: ttlPath, value: "120" }] as const;
      if (!raced) await cluster.patchPolicy("payments", reference.metadata.name, patch);
      raced = true;
      return cluster.deleteObject(...args);
    },
  };
  expect(await closeObject({ cluster: racing }, { reference, why: expired })).toMatchObject({
    kind: "not-yet",
    known: { ttlSeconds: 120 },
  });
  expect(world.policies()).toHaveLength(1);
});

test("An annotation that says more than a record knows of does not count, nor one that is gone or more than the name's cap", async () => {
  await using world = await startTimedCluster();
  const raised = allowanceObject({ index: 1, annotations: { [marks.ttlSeconds]: "500" } });
  const gone = allowanceObject({ index: 2, annotations: {} });
  const beyond = allowanceObject({ index: 3, maxSeconds: 60, annotations: { [marks.ttlSeconds]: "999999999" } });
  world.sandbox.apply(raised, gone, beyond);
  world.pass(61_000);
  expect(await closeObject(world, { reference: raised, why: expired })).toMatchObject({ kind: "not-yet" });
  for (const reference of [raised, gone, beyond]) {
    const closed = await closeObject(world, { reference, why: expired, recordedSeconds: 60 });
    expect(closed).toMatchObject({ kind: "closed", known: { altered: expect.stringContaining(marks.ttlSeconds) } });
  }
});

test("What is not ours by its name stays for ever", async () => {
  await using world = await startTimedCluster();
  const alike = allowanceObject();
  const quarantine = { ...alike, metadata: { ...alike.metadata, name: "bulkhead-q-7f3kd2m" } };
  const lookAlike = { ...alike, metadata: { ...alike.metadata, name: "bulkhead-a-7f3kd2m-60-600-0-aaaaaaaa" } };
  world.sandbox.apply(quarantine, lookAlike);
  world.pass(10_000_000);
  for (const reference of [quarantine, lookAlike])
    for (const why of ["expired", "ended"] as const)
      expect(await closeObject(world, { reference, why })).toEqual({ kind: "not-ours" });
  expect(world.policies()).toHaveLength(2);
});

test("An object that was deleted and made again under its name is not the one that was meant", async () => {
  await using world = await startTimedCluster();
  const reference = allowanceObject();
  world.sandbox.apply(reference);
  world.pass(61_000);
  expect(await closeObject(world, { reference, uid: "of before", why: expired })).toEqual({ kind: "gone" });
  expect(world.policies()).toHaveLength(1);
});

test("An object that a finalizer keeps is not called closed before it is gone", async () => {
  await using world = await startTimedCluster();
  const reference = allowanceObject({ finalizers: ["example.com/keep"] });
  world.sandbox.apply(reference);
  world.pass(61_000);
  expect(await closeObject(world, { reference, why: expired })).toMatchObject({ kind: "deleting" });
  expect(await closeObject(world, { reference, why: expired })).toMatchObject({ kind: "deleting" });
  const patch = [{ op: "remove", path: "/metadata/finalizers" }] as const;
  await world.cluster.patchPolicy("payments", reference.metadata.name, patch);
  expect(await closeObject(world, { reference, why: expired })).toEqual({ kind: "gone" });
});

test("An answer that is lost, an API server that fails and one that keeps changing the object end in a close or a throw, never in silence", async () => {
  await using world = await startTimedCluster();
  const reference = allowanceObject();
  world.sandbox.apply(reference);
  world.pass(61_000);
  const { faults } = world.sandbox;
  faults.inject({ method: "DELETE", times: 9 }, { type: "status", code: 409 });
  await expect(closeObject(world, { reference, why: expired })).rejects.toThrow(/kept changing/);
  faults.clear();
  faults.inject({ method: "DELETE" }, { type: "lose-answer" });
  expect(await closeObject(world, { reference, why: expired })).toMatchObject({ kind: "closed" });
  expect(world.policies()).toEqual([]);
});

test("A server that says no time is an error that names it: nothing is taken for ended or for gone", async () => {
  const object = allowanceObject();
  const metadata = { ...object.metadata, uid: "u", resourceVersion: "1", creationTimestamp: "2026-11-21T04:00:00Z" };
  await using api = await startScriptedApi((_seen, response) => {
    response.sendDate = false;
    json(response, { ...object, metadata });
  });
  const cluster = await createCluster("prod", api.connect(), { now: Date.now, watch: false });
  await expect(closeObject({ cluster }, { reference: object, why: expired })).rejects.toThrow(
    "the API server of cluster prod says no time",
  );
  await cluster.close();
});

test("While the server's clock is known to a second, the end is looked for in between, and closely known it is waited for", () => {
  expect(untilEnd({ earliestMs: 1_000, latestMs: 2_000 }, 1_000)).toBe(0);
  expect(untilEnd({ earliestMs: 1_000, latestMs: 2_000 }, 2_000)).toBe(250);
  expect(untilEnd({ earliestMs: 1_000, latestMs: 2_000 }, 12_000)).toBe(10_250);
  expect(untilEnd({ earliestMs: 1_990, latestMs: 2_000 }, 12_000)).toBe(10_010);
});

test("Every allowance of ours is listed by its name, whatever its labels, and nothing else is", async () => {
  await using world = await startTimedCluster();
  const stripped = allowanceObject({ namespace: "shop", labels: {} });
  const foreign = {
    ...stripped,
    metadata: { ...stripped.metadata, name: "allow-dns", labels: { [marks.kind]: "allowance" } },
  };
  world.sandbox.apply(allowanceObject(), stripped, foreign);
  const listed = await world.cluster.listAllowances();
  expect(listed.map(({ metadata }) => `${metadata.namespace} ${metadata.uid !== undefined}`).toSorted()).toEqual([
    "payments true",
    "shop true",
  ]);
});
