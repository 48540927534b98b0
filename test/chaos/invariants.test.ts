import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Labels } from "../../src/policy/objects.ts";
import { type Recorded, type Recording, recordNamespace } from "../cluster/recording.ts";
import { startDesk, stored, type TestDesk } from "../commands/desk.ts";
import { waitFor } from "../wait.ts";
import { type WriteWatch, watchWrites } from "./cluster-writes.ts";
import type { Sources } from "./evidence.ts";
import { check } from "./invariants.ts";
import { nothingKept } from "./kept.ts";
import { brokenMoments, repeatedEffects } from "./moments.ts";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "worker", namespace: "payments", labels: { app: "worker" } },
  spec: { containers: [{ name: "main", image: "x" }] },
};
const policyForAll = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "theirs", namespace: "payments" },
  spec: { podSelector: { matchLabels: { app: "worker" } }, policyTypes: ["Ingress"] },
};
const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } };

let desk: TestDesk;
let sources: Sources;
let recording: Recording;
let writes: WriteWatch;
let admin: ReturnType<typeof createConnection>;

beforeEach(async () => {
  desk = await startDesk({ cluster: { objects: [namespace, policyForAll, pod] } });
  admin = createConnection({ source: { kind: "text", text: desk.sandbox.kubeconfig }, now: Date.now });
  recording = await recordNamespace(admin, "payments");
  writes = watchWrites(desk.redis, () => Promise.resolve(nothingKept));
  sources = {
    admin,
    redis: desk.redis,
    namespaces: ["payments"],
    writes: () => writes.seen(),
    recordings: [recording],
  };
});
afterEach(async () => {
  await recording.stop();
  await admin.close();
  await desk.close();
});

async function confirmed(command: string): Promise<string> {
  const { operation = "" } = await desk.type(command);
  expect((await desk.press("confirm", operation)).outcome).toBe("ok");
  return operation;
}

const theirs = () => stored(desk.sandbox, "Pod", "worker")!;
const expectFound = async (what: RegExp | string, settled = true) =>
  expect((await check(sources, settled)).join("\n")).toMatch(what);

describe("the invariant checker", () => {
  test("finds nothing wrong with a quarantine and its release", async () => {
    const operation = await confirmed("quarantine payments/worker");
    expect(await check(sources, true)).toEqual([]);
    await confirmed(`release ${operation}`);
    await waitFor(() => recording.events().some(({ type }) => type === "DELETED"));
    expect(await check(sources, true)).toEqual([]);
  });

  test("finds an object and a pod of ours that belong to no operation", async () => {
    desk.sandbox.apply({
      ...policyForAll,
      metadata: { name: "x", namespace: "payments", labels: { [marks.operation]: "q-0000000" } },
    });
    desk.sandbox.apply({
      ...pod,
      metadata: { ...pod.metadata, labels: { app: "worker", [marks.quarantine]: "q-0000001" } },
    });
    const found = await check(sources, true);
    expect(found).toContain(`NetworkPolicy payments/x bears ${marks.operation} of no known operation`);
    expect(found).toContain(`Pod payments/worker bears ${marks.quarantine} of no known operation`);
  });

  test("finds a pod that lost its label, or got its old ones back, under a live quarantine", async () => {
    const operation = await confirmed("quarantine payments/worker");
    desk.sandbox.apply({ ...pod, metadata: { ...pod.metadata, labels: { app: "worker" } } });
    await expectFound(`${operation} is in force, and its pod does not bear its label`);
    await expectFound(`${operation} is in force, and its pod bears app`);
  });

  test("finds a policy that went while its quarantine is in force, and the moments that were open", async () => {
    const operation = await confirmed("quarantine payments/worker");
    await admin.request(
      "DELETE",
      `/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies/bulkhead-${operation}`,
    );
    await waitFor(() => recording.events().some(({ type }) => type === "DELETED"));
    await expectFound(`${operation} is in force without its NetworkPolicy`);
    await expectFound("pod worker was without any policy");
    await expectFound(`pod worker bore the label of ${operation} and its policy did not select it`);
  });

  test("finds what an ended operation left behind", async () => {
    const operation = await confirmed("quarantine payments/worker");
    const stored = (await desk.services.operations.get(operation))!;
    await desk.services.operations.replace({ ...stored, state: "cancelled" });
    await expectFound(`${operation} is cancelled, and NetworkPolicy bulkhead-${operation} is still there`);
    await expectFound(`${operation} is cancelled, and pod worker still bears its label`);
  });

  test("finds an operation that is stuck, once nothing is under way", async () => {
    const operation = await confirmed("quarantine payments/worker");
    const stored = (await desk.services.operations.get(operation))!;
    await desk.services.operations.replace({ ...stored, state: "running" });
    expect(await check(sources, false)).toEqual([]);
    await expectFound(`${operation} is still running, though nothing is under way`);
  });

  test("finds an edited entry, a missing intent and entries of nobody", async () => {
    const operation = await confirmed("quarantine payments/worker");
    const [[id, fields]] = (await desk.redis.xrange("{bulkhead}:audit", "-", "+")) as [[string, string[]]];
    await desk.redis.del("{bulkhead}:audit");
    await desk.redis.xadd("{bulkhead}:audit", id, "entry", fields[1]!.replaceAll(operation, "q-1111111"));
    await expectFound("the chain is broken: entry 1 was changed");
    await expectFound(`${operation} is in-force without an intent in the chain`);
    await expectFound("the chain's entry q-1111111:intent is of an operation that is not known");
  });

  test("finds a write that came before its intent, and one after the outcome that no release meant", async () => {
    const { operation = "" } = await desk.type("quarantine payments/worker");
    const write = { write: 1, verb: "POST", what: "/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies" };
    await writes.observe({ ...write, text: `bulkhead-${operation}`, at: Date.now() });
    await expectFound(`POST ${write.what} for ${operation} came before its intent was durable`, false);
    await desk.press("confirm", operation);
    await writes.observe({ ...write, text: `bulkhead-${operation}`, at: Date.now() });
    await expectFound(`POST ${write.what} for ${operation} came after its outcome, and no release meant it`);
  });

  test("finds nothing to object to in what writes in the meantime, and nothing in reviews", async () => {
    const text = "no operation is named";
    await writes.observe({ write: 1, verb: "PATCH", what: "/api/v1/namespaces/payments/pods/worker", text, at: 0 });
    expect(writes.seen()).toEqual([]);
    expect(theirs().metadata.labels).toEqual({ app: "worker" });
  });
});

describe("what watches showed", () => {
  const event = (of: Recorded["of"], type: Recorded["type"], name: string, labels: Labels): Recorded => ({
    of,
    type,
    object: {
      metadata: { name, uid: name, resourceVersion: "1", labels },
      spec: { podSelector: { matchLabels: labelled }, policyTypes: [] },
    },
  });
  const labelled = { [marks.quarantine]: "q-1" };
  const ours = (type: Recorded["type"]) => event("networkpolicies", type, "bulkhead-q-1", { [marks.operation]: "q-1" });

  test("a pod that was never selected is not open, one that is selected no more is", () => {
    expect(brokenMoments([event("pods", "ADDED", "a", {})])).toEqual([]);
    const opened = [ours("ADDED"), event("pods", "ADDED", "a", labelled), event("pods", "MODIFIED", "a", {})];
    expect(brokenMoments(opened)).toEqual(["pod a was without any policy"]);
  });

  test("a label before its policy is an open moment", () => {
    expect(brokenMoments([event("pods", "ADDED", "a", labelled), ours("ADDED")])).toEqual([
      "pod a bore the label of q-1 and its policy did not select it",
    ]);
  });

  test("a policy that was created twice and a label that was put on twice are told", () => {
    const again = [ours("ADDED"), ours("DELETED"), ours("ADDED")];
    const labels: Labels[] = [labelled, {}, labelled];
    expect(repeatedEffects([...again, ...labels.map((one) => event("pods", "MODIFIED", "a", one))])).toEqual([
      "bulkhead-q-1 was created 2 times",
      "the label of q-1 was put on 2 times",
    ]);
  });
});
