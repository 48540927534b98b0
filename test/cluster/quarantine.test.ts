import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { type Connection, createConnection } from "../../src/kubernetes/connection.ts";
import { marks } from "../../src/policy/marks.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type BotDesk, createBotDesk, wordsOf } from "./bot-desk.ts";
import { type Deployed, deployBulkhead } from "./deployed.ts";
import { kubectl, kubectlJson } from "./kubectl.ts";
import { type ApiPod, behind, podsOf, readyPods } from "./pods.ts";
import { coverage, labelsOverTime, marked, type Recording, recordNamespace } from "./recording.ts";
import { apps, barePod, type Owner, workloads } from "./workloads.ts";

/** The whole way of a quarantine and back on a real control plane, the bot with the rights of deploy/ and no more. */
const run = randomBytes(4).toString("hex");
const namespace = `quarantine-${run}`;
const closed = `quarantine-closed-${run}`;
const patience = { timeoutMs: 60_000, everyMs: 100 };

let admin: Connection;
let redis: Awaited<ReturnType<typeof connectTestRedis>>;
let deployed: Deployed;
let cluster: Cluster;
let recording: Recording;
let closedRecording: Recording;
let desk: BotDesk;

beforeAll(async () => {
  admin = createConnection({ source: { kind: "files", paths: [process.env["KUBECONFIG"] ?? ""] }, now: Date.now });
  redis = await connectTestRedis();
  for (const name of [namespace, closed]) {
    await kubectl(["create", "namespace", name]);
    await waitFor(() => kubectl(["get", "serviceaccount", "default", "-n", name]).catch(() => undefined), patience);
  }
  recording = await recordNamespace(admin, namespace);
  closedRecording = await recordNamespace(admin, closed);
  deployed = await deployBulkhead([namespace]);
  await kubectl(["apply", "-f", "-"], { input: workloads(namespace) });
  await kubectl(["apply", "-n", closed, "-f", "-"], { input: JSON.stringify(barePod()) });
  const nodes = (await kubectlJson<{ items: unknown[] }>(["get", "nodes"])).items.length;
  const wanted = { web: 3, work: 1, store: 2, agent: nodes, alone: 1 };
  await waitFor(async () => {
    for (const [app, count] of Object.entries(wanted))
      if ((await readyPods(app, namespace)).length !== count) return false;
    return (await readyPods(apps.Pod, closed)).length === 1 && (await behind("web", namespace)).length === 3;
  }, patience);
  const bot = createConnection({ source: { kind: "text", text: deployed.kubeconfig }, now: Date.now });
  cluster = await createCluster("real", bot, { now: Date.now, watch: true });
  await waitFor(() => cluster.watches().every(({ synced }) => synced), patience);
  desk = createBotDesk(cluster, redis, [namespace, closed]);
}, 120_000);

afterAll(async () => {
  await cluster?.close();
  redis?.disconnect();
  try {
    await recording?.stop();
    await closedRecording?.stop();
  } finally {
    await deployed?.remove();
    await kubectl(["delete", "namespace", namespace, closed, "--wait=false"]);
    await admin?.close();
  }
}, 120_000);

type Quarantined = { readonly pod: ApiPod; readonly operation: string };

async function quarantineOneOf(owner: Owner): Promise<Quarantined> {
  const pod = (await readyPods(apps[owner], namespace)).at(-1)!;
  const plan = await desk.type(`quarantine ${namespace}/${pod.metadata.name}`);
  expect(plan.headline).toBe(`Plan: quarantine ${namespace}/${pod.metadata.name}`);
  const operation = plan.operation!;
  const twice = owner === "Job" || owner === "StatefulSet";
  if (twice) {
    expect(await desk.confirm(operation)).toMatchObject({ outcome: "needs-confirmation" });
    expect(recording.ofPod(pod.metadata.uid).at(-1)?.object.metadata.labels).not.toHaveProperty(marks.quarantine);
  }
  const done = await desk.confirm(operation, twice ? "confirm-again" : "confirm");
  expect(done.headline).toBe(`ISOLATED FOR NEW CONNECTIONS (${namespace}/${pod.metadata.name})`);
  return { pod, operation };
}

/** Releases it, and returns when the recording has seen the end of it. */
async function release({ pod, operation }: Quarantined): Promise<void> {
  const plan = await desk.type(`release ${operation}`);
  const done = await desk.confirm(plan.operation!);
  expect(done).toMatchObject({ outcome: "ok", headline: `Released: ${namespace}/${pod.metadata.name}` });
  await waitFor(() =>
    recording
      .events()
      .some(({ type, object }) => type === "DELETED" && object.metadata.name === `bulkhead-${operation}`),
  );
}

/** The labels by which each owner, the Services and the policies select its pods. */
const selectedBy: Readonly<Record<Owner, readonly string[]>> = {
  Deployment: ["app", "pod-template-hash"],
  Job: ["app", "controller-uid"],
  StatefulSet: ["app"],
  DaemonSet: ["app"],
  Pod: ["app"],
};

/** What the watch must have seen from the pod's first moment to its release, or to its deletion by its controller. */
async function expectExactAndNeverOpen(owner: Owner, { pod, operation }: Quarantined): Promise<void> {
  const { uid, labels = {} } = pod.metadata;
  const old = JSON.stringify(labels);
  await waitFor(() => recording.wasDeleted(uid) || labelsOverTime(recording, uid).length === 5, patience);
  const during = Object.entries(labels).filter(([key]) => !selectedBy[owner].includes(key));
  const stripped = marked(Object.fromEntries(during), operation);
  const [theirs, ours] = [`for-${apps[owner]}`, `bulkhead-${operation}`];
  const survived = labelsOverTime(recording, uid).length === 5;
  const seen = [old, marked(labels, operation), stripped, marked(labels, operation), ...(survived ? [old] : [])];
  expect(labelsOverTime(recording, uid)).toEqual(seen);
  const covered = [[theirs], [ours, theirs], [ours], [ours, theirs], ...(survived ? [[theirs]] : [])];
  expect(coverage(recording, uid)).toEqual(covered);
  await expectNothingOfOursIsLeft();
}

async function expectNothingOfOursIsLeft(): Promise<void> {
  for (const mark of [marks.operation, marks.quarantine]) {
    const kinds = "networkpolicies,pods,configmaps,services";
    expect((await kubectlJson<{ items: unknown[] }>(["get", kinds, "-n", namespace, "-l", mark])).items).toEqual([]);
  }
}

test.each([
  ["StatefulSet", /StatefulSet store cannot replace it/],
  ["DaemonSet", /DaemonSet agent starts another pod on node/],
  ["Pod", /nothing replaces it/],
] as const)(
  "The plan of a %s's pod says what becomes of it, who loses it and what is to be rotated",
  async (owner, does) => {
    // No policy selects it, so that it alone can open connections in this namespace.
    const visitor = { ...barePod(), metadata: { name: "visitor", labels: { app: "visitor", team: "shop" } } };
    await kubectl(["apply", "-n", namespace, "-f", "-"], { input: JSON.stringify(visitor) });
    await waitFor(async () => (await readyPods("visitor", namespace)).length === 1, patience);
    const name = (await readyPods(apps[owner], namespace)).at(-1)!.metadata.name;
    const words = await waitFor(async () => {
      const shown = wordsOf(await desk.type(`quarantine ${namespace}/${name} --dry-run`));
      return shown.includes("visitor") ? shown : undefined;
    }, patience);
    expect(words).toMatch(does);
    expect(words).toMatch(/No longer reached on TCP 80[^"]* by [^"]*visitor \(Pod\)/);
    // By the token that the API server's own admission mounts, and with the rights of deploy/ to read bindings.
    expect(words).toContain(`ServiceAccount ${namespace}/default: its token is mounted; bound to nothing`);
    await kubectl(["delete", "pod", "visitor", "-n", namespace, "--grace-period=0", "--force"]);
  },
);

test("The last ready replica of a Service is refused with the command that confirms it by name", async () => {
  const spec = { selector: { app: apps.Pod }, ports: [{ port: 80 }] };
  const solo = { apiVersion: "v1", kind: "Service", metadata: { name: "solo" }, spec };
  await kubectl(["apply", "-n", namespace, "-f", "-"], { input: JSON.stringify(solo) });
  const asked = `quarantine ${namespace}/${apps.Pod}`;
  await waitFor(async () => {
    const { outcome, sections } = await desk.type(`${asked} --dry-run`);
    return outcome === "refused" && JSON.stringify(sections).includes(`--confirm ${apps.Pod}`);
  }, patience);
  const plan = await desk.type(`${asked} --confirm ${apps.Pod} --dry-run`);
  expect(wordsOf(plan)).toMatch(/Service solo loses its LAST ready replica/);
  await kubectl(["delete", "service", "solo", "-n", namespace]);
  await waitFor(async () => (await desk.type(`${asked} --dry-run`)).outcome !== "refused", patience);
});

describe("a pod of a Deployment with three replicas", () => {
  let one: Quarantined;

  test("is replaced by its ReplicaSet once it is quarantined, and its Service's Endpoints drop it", async () => {
    const before = (await podsOf(apps.Deployment, namespace)).map(({ metadata }) => metadata.uid);
    one = await quarantineOneOf("Deployment");
    const { uid, name } = one.pod.metadata;
    await waitFor(() => recording.ownerOf(uid) === undefined, patience);
    await waitFor(async () => (await readyPods(apps.Deployment, namespace)).length === 3, patience);
    const after = (await podsOf(apps.Deployment, namespace)).map(({ metadata }) => metadata.uid);
    expect(after.filter((other) => before.includes(other))).toEqual(before.filter((other) => other !== uid));
    await waitFor(async () => (await behind("web", namespace)).length === 3, patience);
    expect(await behind("web", namespace)).not.toContain(name);
    expect(recording.wasDeleted(uid)).toBe(false);
  });

  test("has its labels back byte for byte after release, was never open, and nothing of ours is left (invariant 6)", async () => {
    await release(one);
    await expectExactAndNeverOpen("Deployment", one);
    await waitFor(async () => (await podsOf(apps.Deployment, namespace)).length === 3, patience);
    await waitFor(async () => (await behind("web", namespace)).length === 3, patience);
  });
});

test("A Job starts its work again in a new pod, and after release keeps one of the two", async () => {
  const one = await quarantineOneOf("Job");
  const { uid } = one.pod.metadata;
  const second = await waitFor(async () => (await readyPods(apps.Job, namespace))[0], patience);
  expect(second?.metadata.uid).not.toBe(uid);
  expect(recording.wasDeleted(uid)).toBe(false);
  await release(one);
  await expectExactAndNeverOpen("Job", one);
  await waitFor(async () => (await podsOf(apps.Job, namespace)).length === 1, patience);
});

test("A StatefulSet lets the pod go, cannot replace it while it is there, and takes it back after release", async () => {
  const one = await quarantineOneOf("StatefulSet");
  const { uid, name } = one.pod.metadata;
  const added = () =>
    recording.events().filter(({ type, object }) => type === "ADDED" && object.metadata.name === name);
  await waitFor(() => recording.ownerOf(uid) === undefined, patience);
  expect((await podsOf(apps.StatefulSet, namespace)).map(({ metadata }) => metadata.name)).not.toContain(name);
  await waitFor(async () => !(await behind("store", namespace)).includes(name), patience);
  await release(one);
  await expectExactAndNeverOpen("StatefulSet", one);
  await waitFor(() => recording.ownerOf(uid) === "StatefulSet", patience);
  expect(added().map(({ object }) => object.metadata.uid)).toEqual([uid]);
  expect(recording.wasDeleted(uid)).toBe(false);
});

test("A DaemonSet starts another pod on the node, and after release keeps one of the two", async () => {
  const one = await quarantineOneOf("DaemonSet");
  const { uid } = one.pod.metadata;
  const onNode = async () =>
    (await readyPods(apps.DaemonSet, namespace)).filter(({ spec }) => spec.nodeName === one.pod.spec.nodeName);
  const second = await waitFor(async () => (await onNode())[0], patience);
  expect(second?.metadata.uid).not.toBe(uid);
  expect(recording.wasDeleted(uid)).toBe(false);
  await release(one);
  await expectExactAndNeverOpen("DaemonSet", one);
  await waitFor(async () => (await onNode()).length === 1, patience);
});

test("A bare pod is replaced by nobody, and is as before after release", async () => {
  const one = await quarantineOneOf("Pod");
  expect(await podsOf(apps.Pod, namespace)).toEqual([]);
  await release(one);
  await expectExactAndNeverOpen("Pod", one);
  expect((await readyPods(apps.Pod, namespace)).map(({ metadata }) => metadata.uid)).toEqual([one.pod.metadata.uid]);
  expect(desk.errors()).toEqual([]);
});

test("A namespace without the RoleBinding is refused, nothing is written, and the line in the answer opts it in", async () => {
  const command = `quarantine ${closed}/${apps.Pod}`;
  const reply = await desk.type(command);
  expect(reply).toMatchObject({ outcome: "refused", headline: `Refused: ${command}`, buttons: [] });
  const line = `kubectl create rolebinding bulkhead-write -n ${closed} --clusterrole=bulkhead-write --serviceaccount=bulkhead:bulkhead`;
  expect(wordsOf(reply)).toContain(line);
  expect(await desk.confirm(reply.operation!)).not.toMatchObject({ outcome: "ok" });
  await kubectl(line.split(" ").slice(1));
  const [pod] = await readyPods(apps.Pod, closed);
  await kubectl(["annotate", "pod", apps.Pod, "-n", closed, "seen=yes"]);
  await waitFor(() => JSON.stringify(closedRecording.ofPod(pod!.metadata.uid)).includes('"seen":"yes"'));
  expect(labelsOverTime(closedRecording, pod!.metadata.uid)).toEqual([JSON.stringify(barePod().metadata.labels)]);
  expect(closedRecording.events().filter(({ of }) => of === "networkpolicies")).toEqual([]);
  await waitFor(async () => (await desk.type(`${command} --dry-run`)).outcome === "ok", patience);
});
