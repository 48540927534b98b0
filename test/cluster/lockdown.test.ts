import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";
import { marks } from "../../src/policy/marks.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type BotDesk, createBotDesk, wordsOf } from "./bot-desk.ts";
import { type Deployed, deployBulkhead } from "./deployed.ts";
import { kubectl, kubectlJson } from "./kubectl.ts";
import { podsOf, readyPods } from "./pods.ts";
import { barePod, workloads } from "./workloads.ts";

/** A workload's quarantine and a lockdown on a real control plane, the bot with the rights of deploy/ and no more. */
const run = randomBytes(4).toString("hex");
const namespace = `lockdown-${run}`;
const outside = `lockdown-outside-${run}`;
const dns = `coredns-${run}`;
const patience = { timeoutMs: 60_000, everyMs: 100 };

const collector: Endpoint = {
  name: "collector",
  purpose: "forensics",
  direction: "egress",
  peer: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": outside } } },
  ports: [{ protocol: "TCP", port: 443 }],
};

let redis: Awaited<ReturnType<typeof connectTestRedis>>;
let deployed: Deployed;
let cluster: Cluster;
let desk: BotDesk;

beforeAll(async () => {
  redis = await connectTestRedis();
  for (const name of [namespace, outside]) {
    await kubectl(["create", "namespace", name]);
    await waitFor(() => kubectl(["get", "serviceaccount", "default", "-n", name]).catch(() => undefined), patience);
  }
  // Every supported API server gives them this label by itself; the 1.20 of the suite does not.
  for (const name of [outside, "kube-system"])
    await kubectl(["label", "namespace", name, `kubernetes.io/metadata.name=${name}`, "--overwrite"]);
  deployed = await deployBulkhead([namespace]);
  await kubectl(["apply", "-f", "-"], { input: workloads(namespace) });
  // Their own policies would leave open what they allow.
  await kubectl(["delete", "networkpolicies", "--all", "-n", namespace]);
  await kubectl(["apply", "-n", outside, "-f", "-"], { input: JSON.stringify(barePod()) });
  const resolver = barePod() as { metadata: object };
  const metadata = { name: dns, labels: { "k8s-app": "kube-dns" } };
  await kubectl(["apply", "-n", "kube-system", "-f", "-"], { input: JSON.stringify({ ...resolver, metadata }) });
  await waitFor(async () => {
    if ((await readyPods("web", namespace)).length !== 3) return false;
    return (await readyPods("alone", outside)).length === 1;
  }, patience);
  const source = { kind: "text", text: deployed.kubeconfig } as const;
  cluster = await createCluster("real", createConnection({ source, now: Date.now }), { now: Date.now, watch: true });
  await waitFor(() => cluster.watches().every(({ synced }) => synced), patience);
  desk = createBotDesk(cluster, redis, [namespace, outside, "kube-system"], [collector]);
}, 120_000);

afterAll(async () => {
  await cluster?.close();
  redis?.disconnect();
  await deployed?.remove();
  await kubectl(["delete", "pod", dns, "-n", "kube-system", "--wait=false", "--ignore-not-found"]);
  await kubectl(["delete", "namespace", namespace, outside, "--wait=false"]);
}, 120_000);

/** Everything in the namespace that a release could have changed. */
async function state(): Promise<unknown> {
  const pods = await podsOf("web", namespace);
  return pods
    .map(({ metadata }) => JSON.stringify([metadata.name, metadata.uid, metadata.labels]))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

async function ours(): Promise<readonly unknown[]> {
  return (await kubectlJson<{ items: unknown[] }>(["get", "networkpolicies", "-n", namespace, "-l", marks.operation]))
    .items;
}

async function connects(from: string, to: string): Promise<string | undefined> {
  return /^\w+/.exec((await desk.type(`explain ${from} → ${to}`)).headline)?.[0];
}

async function release(what: string): Promise<void> {
  const plan = await desk.type(`release ${what}`);
  expect(await desk.confirm(plan.operation!)).toMatchObject({ outcome: "ok" });
  expect(await ours()).toEqual([]);
}

test("A workload's quarantine also catches the pod that its controller starts later, and is released exactly", async () => {
  const before = await state();
  const plan = await desk.type(`quarantine deploy/web -n ${namespace} --confirm web`);
  expect(plan.outcome, wordsOf(plan)).toBe("needs-confirmation");
  const card = await desk.confirm(plan.operation!);
  expect(card.headline).toBe(`ISOLATED FOR NEW CONNECTIONS (${namespace}/deployment/web)`);
  expect(await state()).toEqual(before);
  const known = new Set((await podsOf("web", namespace)).map(({ metadata }) => metadata.name));
  await kubectl(["scale", "deployment/web", "-n", namespace, "--replicas=4"]);
  const late = await waitFor(
    async () => (await readyPods("web", namespace)).find(({ metadata }) => !known.has(metadata.name)),
    patience,
  );
  const name = late?.metadata.name ?? "";
  const inside = () => connects(`${outside}/alone`, `${namespace}/${name}:80`);
  await waitFor(async () => (await inside()) === "No", patience);
  expect(await connects(`${namespace}/${name}`, `${outside}/alone:443`)).toBe("Yes");
  expect(await connects(`${namespace}/${name}`, `kube-system/${dns}:53/udp`)).toBe("No");
  await release(`${namespace}/deploy/web`);
  await waitFor(async () => (await inside()) === "Yes", patience);
});

test("A lockdown keeps DNS and forensics, cuts all else, and is released exactly", async () => {
  const before = await state();
  const plan = await desk.type(`lockdown ${namespace} --confirm ${namespace}`);
  expect(plan.outcome, wordsOf(plan)).toBe("needs-confirmation");
  await desk.confirm(plan.operation!);
  const card = await desk.confirm(plan.operation!, "confirm-again");
  expect(card.headline).toBe(`ISOLATED FOR NEW CONNECTIONS (namespace ${namespace})`);
  const inside = () => connects(`${namespace}/store`, `${namespace}/web:80`);
  await waitFor(async () => (await inside()) === "No", patience);
  expect(await connects(`${namespace}/web`, `kube-system/${dns}:53/udp`)).toBe("Yes");
  expect(await connects(`${namespace}/web`, `${outside}/alone:443`)).toBe("Yes");
  expect(await connects(`${namespace}/web`, `${outside}/alone:80`)).toBe("No");
  expect(await connects(`${outside}/alone`, `${namespace}/web:80`)).toBe("No");
  await release(namespace);
  expect(await state()).toEqual(before);
  await waitFor(async () => (await inside()) === "Yes", patience);
  expect(desk.errors()).toEqual([]);
});
