import { afterAll, beforeAll, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import type { Cluster } from "../../src/kubernetes/cluster.ts";
import type { ManifestReference } from "../../src/policy/manifest.ts";
import type { Operation } from "../../src/policy/operation.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let pods = 0;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    another,
  );
});

/** Stays ready behind the Service, so that no other pod is its last. */
const another = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "another", namespace: "payments", labels: { app: "checkout" } },
  spec: { containers: [{ name: "main", image: "x" }] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
};

afterAll(() => desk.close());

function newPod(): string {
  pods += 1;
  const name = `checkout-${pods}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels: { app: "checkout", tier: `t${pods}` } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  return name;
}

const labelsOf = (pod: string) => stored(desk.sandbox, "Pod", pod)?.metadata.labels;
const policiesOf = (operation: string) =>
  desk.sandbox
    .objects("NetworkPolicy", "payments")
    .filter(({ metadata }) => metadata.labels?.["bulkhead.dev/operation"] === operation);

async function current(id: string): Promise<Operation> {
  const operation = await desk.services.operations.get(id);
  if (operation === undefined) throw new Error(`${id} is not stored`);
  return operation;
}

/** A replica whose cluster differs in these calls. */
function replica(changes: (cluster: Cluster) => Partial<Cluster>): Services {
  const entry = desk.services.clusters.get("sandbox");
  if (entry === undefined) throw new Error("no cluster");
  const cluster = { ...entry.cluster, ...changes(entry.cluster) };
  return { ...desk.services, clusters: new Map([["sandbox", { ...entry, cluster }]]) };
}

async function press(services: Services, action: string, id: string) {
  const { card } = await current(id);
  return createDesk(services).press({ ...desk.request(""), action, operation: id, card }, desk.outlet);
}

/** A place where a call sleeps until it is woken. */
function bed() {
  const asleep = Promise.withResolvers<void>();
  const woken = Promise.withResolvers<void>();
  const lie = async (): Promise<void> => {
    asleep.resolve();
    await woken.promise;
  };
  return { asleep: asleep.promise, lie, wake: woken.resolve };
}

/** A quarantine that failed when its pod was labelled: its card offers both to try again and to release. */
async function failedQuarantine(pod: string): Promise<string> {
  const { operation: id = "" } = await desk.type(`quarantine payments/${pod}`);
  const broken = replica(() => ({ patchPod: () => Promise.reject(new Error("the API server did not answer")) }));
  expect((await press(broken, "confirm", id)).outcome).toBe("failed");
  return id;
}

async function sweep(services: Services): Promise<void> {
  for (const id of await desk.redis.zrange("{bulkhead}:leases", "0", "-1"))
    await desk.redis.zadd("{bulkhead}:leases", "0", id);
  const takeover = createTakeover(services, () => desk.outlet);
  await takeover.sweep();
  await takeover.drain();
}

test("What is being released is not tried again: the pod keeps its labels (invariant 6)", async () => {
  const pod = newPod();
  const before = labelsOf(pod);
  const q = await failedQuarantine(pod);
  const { operation: r = "" } = await press(desk.services, "release", q);
  const sleep = bed();
  const releasing = replica((cluster) => ({
    async deleteObject(...of) {
      await sleep.lie();
      return cluster.deleteObject(...of);
    },
  }));
  const released = press(releasing, "confirm", r);
  await sleep.asleep;
  const again = await press(desk.services, "retry", q);
  expect(again).toMatchObject({ outcome: "refused", headline: `Not done: ${q} is being released` });
  sleep.wake();
  expect((await released).headline).toMatch(/^Released/);
  expect(labelsOf(pod)).toEqual(before);
  expect(policiesOf(q)).toEqual([]);
  expect(await current(q)).toMatchObject({ state: "done", liftedBy: r });
});

test("A quarantine that is tried again at this moment is not released", async () => {
  const pod = newPod();
  const q = await failedQuarantine(pod);
  const { operation: r = "" } = await press(desk.services, "release", q);
  const sleep = bed();
  const slow = replica((cluster) => ({
    async patchPod(...of) {
      await sleep.lie();
      return cluster.patchPod(...of);
    },
  }));
  const again = press(slow, "retry", q);
  await sleep.asleep;
  const released = await press(desk.services, "confirm", r);
  expect(wordsIn(released)).toContain("being carried out at this moment");
  sleep.wake();
  expect((await again).headline).toMatch(/^ISOLATED/);
  expect(policiesOf(q)).toHaveLength(1);
});

test("After a release that came to nothing the quarantine can be tried again", async () => {
  const pod = newPod();
  const q = await failedQuarantine(pod);
  const { operation: r = "" } = await press(desk.services, "release", q);
  const broken = replica(() => ({ deleteObject: () => Promise.reject(new Error("the API server did not answer")) }));
  expect((await press(broken, "confirm", r)).outcome).toBe("failed");
  expect((await press(desk.services, "retry", q)).headline).toMatch(/^ISOLATED/);
});

test("A replica that slept before it took the labels off takes off none that a release put back (invariant 6)", async () => {
  const pod = newPod();
  const before = labelsOf(pod);
  const { operation: q = "" } = await desk.type(`quarantine payments/${pod}`);
  const sleep = bed();
  const sleepy = replica((cluster) => ({
    async patchPod(namespace, name, patch) {
      if (patch.some(({ op }) => op === "remove")) await sleep.lie();
      return cluster.patchPod(namespace, name, patch);
    },
  }));
  const isolating = press(sleepy, "confirm", q);
  await sleep.asleep;
  desk.pass(61_000);
  const { operation: r = "" } = await desk.type(`release ${q}`);
  const releasing = {
    ...desk.services,
    async wait(ms: number) {
      sleep.wake();
      await isolating;
      await desk.services.wait(ms);
    },
  };
  expect((await press(releasing, "confirm", r)).headline).toBe(`Released: payments/${pod}`);
  expect((await isolating).headline).toBe(`${q} goes on elsewhere`);
  expect(labelsOf(pod)).toEqual(before);
  expect(await current(q)).toMatchObject({ state: "done" });
});

test("A quarantine that a release is ending is not taken over", async () => {
  const pod = newPod();
  const before = labelsOf(pod);
  const { operation: q = "" } = await desk.type(`quarantine payments/${pod}`);
  const dying = bed();
  const dead = replica(() => ({ patchPod: () => dying.lie().then(() => new Promise<never>(() => undefined)) }));
  void press(dead, "confirm", q);
  await dying.asleep;
  desk.pass(61_000);
  const { operation: r = "" } = await desk.type(`release ${q}`);
  const sleep = bed();
  const releasing = replica((cluster) => ({
    async deleteObject(...of) {
      await sleep.lie();
      return cluster.deleteObject(...of);
    },
  }));
  const released = press(releasing, "confirm", r);
  await sleep.asleep;
  const lease = await desk.redis.zscore("{bulkhead}:leases", r);
  await desk.redis.zrem("{bulkhead}:leases", r);
  await sweep(desk.services);
  if (lease !== null) await desk.redis.zadd("{bulkhead}:leases", lease, r);
  expect(labelsOf(pod)).toEqual(before);
  sleep.wake();
  expect((await released).headline).toMatch(/^Released/);
  expect(labelsOf(pod)).toEqual(before);
  await sweep(desk.services);
  expect(await desk.redis.zscore("{bulkhead}:leases", q)).toBeNull();
  expect(await current(q)).toMatchObject({ state: "done" });
});

test("The labels stay on where the policy is gone by then", async () => {
  const pod = newPod();
  const before = labelsOf(pod);
  const { operation: q = "" } = await desk.type(`quarantine payments/${pod}`);
  const losing: Services = {
    ...desk.services,
    async wait(ms) {
      const cluster = desk.services.clusters.get("sandbox")?.cluster;
      const policy = await cluster?.getObject(policyOf(q));
      const { uid = "", resourceVersion = "" } = policy?.metadata ?? {};
      await cluster?.deleteObject(policyOf(q), { uid, resourceVersion });
      await desk.services.wait(ms);
    },
  };
  const failed = await press(losing, "confirm", q);
  expect(wordsIn(failed)).toContain(`NetworkPolicy payments/bulkhead-${q} is gone again`);
  expect(labelsOf(pod)).toEqual({ ...before, "bulkhead.dev/quarantine": q });
});

test("A replica that slept before its POST over a release leaves no policy behind", async () => {
  const pod = newPod();
  const before = labelsOf(pod);
  const { operation: q = "" } = await desk.type(`quarantine payments/${pod}`);
  const sleep = bed();
  const sleepy = replica((cluster) => ({
    async createObject(object) {
      await sleep.lie();
      return cluster.createObject(object);
    },
  }));
  const isolating = press(sleepy, "confirm", q);
  await sleep.asleep;
  await sweep(desk.services);
  expect(await current(q)).toMatchObject({ state: "in-force" });
  const { operation: r = "" } = await desk.type(`release ${q}`);
  await press(desk.services, "confirm", r);
  sleep.wake();
  expect((await isolating).headline).toBe(`${q} goes on elsewhere`);
  expect(policiesOf(q)).toEqual([]);
  expect(labelsOf(pod)).toEqual(before);
});

test("Where an earlier try took labels off and ours is gone since, nothing is said to be as before", async () => {
  const pod = newPod();
  const { operation: q = "" } = await desk.type(`quarantine payments/${pod}`);
  const broken = replica(() => ({ listPolicies: () => Promise.reject(new Error("the API server did not answer")) }));
  expect((await press(broken, "confirm", q)).outcome).toBe("failed");
  const { uid = "" } = stored(desk.sandbox, "Pod", pod)?.metadata ?? {};
  await desk.services.clusters.get("sandbox")?.cluster.patchPod("payments", pod, [
    { op: "test", path: "/metadata/uid", value: uid },
    { op: "remove", path: "/metadata/labels/bulkhead.dev~1quarantine" },
  ]);
  const again = await press(desk.services, "retry", q);
  expect(again.outcome).toBe("failed");
  expect(wordsIn(again)).toContain(`The pod lacks app: where an earlier try took that off, release ${q}`);
  expect(wordsIn(again)).not.toContain("taken back");
  expect(policiesOf(q)).toHaveLength(1);
  const { operation: r = "" } = await press(desk.services, "release", q);
  expect((await press(desk.services, "confirm", r)).headline).toBe(`Released: payments/${pod}`);
  expect(labelsOf(pod)).toMatchObject({ app: "checkout" });
  expect(policiesOf(q)).toEqual([]);
});

function policyOf(q: string): ManifestReference {
  const metadata = { namespace: "payments", name: `bulkhead-${q}` };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata };
}
