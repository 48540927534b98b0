import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseEngine } from "../../src/engines/choose.ts";
import { detectEngines } from "../../src/engines/detect.ts";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type BotDesk, createBotDesk } from "./bot-desk.ts";
import { installPolicyApis, type PolicyApis } from "./crds.ts";
import { kubectl } from "./kubectl.ts";
import { installPlugin } from "./network-plugins.ts";
import { readyPods } from "./pods.ts";
import { apps, barePod } from "./workloads.ts";

/** The whole way of a quarantine and back with each engine, under a NetworkPolicy that lets everything through to every pod. */
const namespace = `engine-${randomBytes(4).toString("hex")}`;
const patience = { timeoutMs: 60_000, everyMs: 100 };

const allowAll = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "allow-all", namespace },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] },
};

const isolated = /^ISOLATED FOR NEW CONNECTIONS/;

/** Each, how the card's headline begins or reads, and the kind of which it writes one object. */
const engines = [
  ["networkpolicy", /^NOT ISOLATED: policy allow-all still lets/, "networkpolicies.networking.k8s.io"],
  ["cilium", isolated, "ciliumnetworkpolicies.cilium.io"],
  ["calico", isolated, "networkpolicies.projectcalico.org"],
  ["antrea", isolated, "networkpolicies.crd.antrea.io"],
  [
    "cluster-network-policy",
    /^NOT ISOLATED: policy allow-all still lets anywhere outside the cluster in on all ports/,
    "clusternetworkpolicies.policy.networking.k8s.io",
  ],
  [
    "admin-network-policy",
    /^NOT ISOLATED: policy allow-all still lets anywhere outside the cluster in on all ports/,
    "adminnetworkpolicies.policy.networking.k8s.io",
  ],
] as const;

let apis: PolicyApis;
let redis: Awaited<ReturnType<typeof connectTestRedis>>;

beforeAll(async () => {
  redis = await connectTestRedis();
  apis = await installPolicyApis();
  await kubectl(["create", "namespace", namespace]);
  // As every API server since 1.21 does by itself.
  await kubectl(["label", "namespace", namespace, `kubernetes.io/metadata.name=${namespace}`, "--overwrite"]);
  await waitFor(() => kubectl(["get", "serviceaccount", "default", "-n", namespace]).catch(() => undefined), patience);
  const items = [allowAll, ...engines.map(([engine]) => podFor(engine))];
  await kubectl(["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
  await waitFor(async () => (await readyPods(apps.Pod, namespace)).length === engines.length, patience);
}, 120_000);

afterAll(async () => {
  redis?.disconnect();
  await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
  await apis?.remove();
}, 120_000);

describe.each(engines)("With %s", (engine, headline, kind) => {
  const pod = `${namespace}/${apps.Pod}-${engine}`;
  let desk: BotDesk;
  let cluster: Cluster;
  let uninstall: () => Promise<void>;

  beforeAll(async () => {
    uninstall = await installPlugin(engine);
    const source = { kind: "files", paths: [process.env["KUBECONFIG"] ?? ""] } as const;
    cluster = await createCluster("real", createConnection({ source, now: Date.now }), { now: Date.now, watch: false });
    desk = createBotDesk(cluster, redis, [namespace]);
  }, 120_000);

  afterAll(async () => {
    await cluster?.close();
    await uninstall?.();
  }, 120_000);

  test("it is the strongest engine that is known to be enforced", async () => {
    const detection = detectEngines(await cluster.engineEvidence("fresh"), "unknown", { now: Date.now() });
    expect(chooseEngine(detection, undefined)).toEqual({ engine, warnings: [] });
  });

  test("a pod under an allow-all is told for what it is, and everything is taken back", async () => {
    const before = await podNow(engine);
    const plan = await desk.type(`quarantine ${pod} --engine ${engine}`);
    expect(plan.headline).toBe(`Plan: quarantine ${pod}`);
    const operation = plan.operation ?? "";
    const done = await desk.confirm(operation);
    expect(done.headline).toMatch(headline);
    expect(await namesOf(kind)).toContain(operation);
    const release = await desk.type(`release ${operation}`);
    expect(await desk.confirm(release.operation ?? "")).toMatchObject({ headline: `Released: ${pod}` });
    expect(await namesOf(kind)).not.toContain(operation);
    expect(await podNow(engine)).toEqual(before);
    expect(desk.errors()).toEqual([]);
  });
});

function podFor(engine: string): object {
  const pod = barePod();
  return { ...pod, metadata: { ...pod.metadata, name: `${pod.metadata.name}-${engine}`, namespace } };
}

/** Which pod it is, and what is on it. */
async function podNow(engine: string): Promise<object> {
  const name = `${apps.Pod}-${engine}`;
  const { metadata } = (await readyPods(apps.Pod, namespace)).find((each) => each.metadata.name === name)!;
  return { uid: metadata.uid, labels: metadata.labels };
}

function namesOf(kind: string): Promise<string> {
  return kubectl(["get", kind, "-A", "-o", "name"]);
}
