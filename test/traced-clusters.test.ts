import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Cluster } from "../src/kubernetes/cluster.ts";
import { tracedClusters } from "../src/traced-clusters.ts";
import { allowanceObject, startTimedCluster } from "./commands/allowance-world.ts";
import { recordedTracing } from "./recorded-tracing.ts";

let world: Awaited<ReturnType<typeof startTimedCluster>>;
let tracing: ReturnType<typeof recordedTracing>;
let cluster: Cluster;

beforeAll(async () => {
  world = await startTimedCluster();
});
afterAll(() => world?.[Symbol.asyncDispose]());

beforeEach(() => {
  tracing = recordedTracing();
  const entries = new Map([["sandbox", { cluster: world.cluster, enforcement: "enforced" as const }]]);
  cluster = tracedClusters(entries, tracing).get("sandbox")!.cluster;
});

const object = allowanceObject();
const { apiVersion, kind } = object;
const { name, namespace = "" } = object.metadata;
const none = { uid: "11111111-2222-3333-4444-555555555555", resourceVersion: "1" };
const place = { "k8s.cluster.name": "sandbox", "k8s.namespace.name": "payments" };
const policy = { ...place, "bulkhead.object": "NetworkPolicy" };
const pod = { ...place, "bulkhead.object": "Pod" };

test("Each write has a span that says what it came to, and no read has one", async () => {
  await cluster.createObject(object);
  await cluster.createObject(object);
  await cluster.getObject(object);
  await cluster.patchPolicy(namespace, name, [{ op: "add", path: "/metadata/labels/x", value: "y" }]);
  await cluster.deleteObject(object, none);
  await cluster.patchPod(namespace, "none", [{ op: "add", path: "/metadata/labels/x", value: "y" }]);
  await cluster.deletePod(namespace, "none", none.uid);
  expect(tracing.recorded).toEqual([
    { way: "kubernetes create", said: { ...policy, "bulkhead.result": "created" } },
    { way: "kubernetes create", said: { ...policy, "bulkhead.result": "exists" } },
    { way: "kubernetes patch", said: { ...policy, "bulkhead.result": "patched" } },
    { way: "kubernetes delete", said: { ...policy, "bulkhead.result": "conflict" } },
    { way: "kubernetes patch", said: { ...pod, "bulkhead.result": "gone" } },
    { way: "kubernetes delete", said: { ...pod, "bulkhead.result": "gone" } },
  ]);
});

test("So have the writes of a rollback, and its dry runs have none", async () => {
  const image = { apiVersion, kind, metadata: { name: "raw", namespace }, spec: object["spec"] };
  for (const dryRun of [true, false]) {
    const created = await cluster.anyPolicy.create(image, { dryRun });
    expect(created.kind).toBe("created");
  }
  for (const dryRun of [true, false]) {
    await cluster.anyPolicy.replace(image, none, { dryRun });
    await cluster.anyPolicy.delete(image, none, { dryRun });
  }
  expect(tracing.recorded).toEqual([
    { way: "kubernetes create", said: { ...policy, "bulkhead.result": "created" } },
    { way: "kubernetes replace", said: { ...policy, "bulkhead.result": "conflict" } },
    { way: "kubernetes delete", said: { ...policy, "bulkhead.result": "conflict" } },
  ]);
});

test("Where nothing is traced the clusters stay the ones that they are", () => {
  const entries = new Map([["sandbox", { cluster: world.cluster, enforcement: "enforced" as const }]]);
  expect(tracedClusters(entries, undefined)).toBe(entries);
});
