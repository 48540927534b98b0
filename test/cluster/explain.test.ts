import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type BotDesk, createBotDesk, wordsOf } from "./bot-desk.ts";
import { asBot, type Deployed, deployBulkhead } from "./deployed.ts";
import { canI, kubectl, kubectlJson } from "./kubectl.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const [payments, db] = ["explain-payments", "explain-db"];
const asked = `explain ${payments}/checkout → ${db}/postgres:5432`;

let deployed: Deployed;
let redis: Redis;
let cluster: Cluster;
/** The bot with the rights of deploy/ and no more, and a cache; and the same from no cache. */
let desk: BotDesk;
let fresh: BotDesk;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  redis = await connectTestRedis();
  await apply(namespace(payments, "pay"), namespace(db, "data"));
  for (const name of [payments, db]) await waitFor(() => hasServiceAccount(name), { everyMs: 100 });
  await apply(...workloads());
  deployed = await deployBulkhead([]);
  cluster = await connect(true);
  desk = createBotDesk(cluster, redis, [payments, db]);
  fresh = createBotDesk(await connect(false), redis, [payments, db]);
  await waitFor(async () => {
    const seen = await Promise.all([payments, db].map((name) => cluster.facts(name, "cache")));
    return cluster.watches().every(({ synced }) => synced) && seen.flatMap(({ pods }) => pods).length === 5;
  });
}, 120_000);

afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  redis?.disconnect();
  await kubectl(["delete", "customresourcedefinition", crdName, "--ignore-not-found"]);
  await deployed?.remove();
  await kubectl(["delete", "namespace", payments, db, "--ignore-not-found", "--wait", "--timeout=50s"]);
}, 120_000);

async function connect(watch: boolean): Promise<Cluster> {
  const source = { kind: "text", text: deployed.kubeconfig } as const;
  const made = await createCluster("prod", createConnection({ source, now: Date.now, cluster: "prod" }), {
    now: Date.now,
    watch,
  });
  closing.push(() => made.close());
  return made;
}

function apply(...objects: readonly object[]): Promise<string> {
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  return kubectl(["apply", "-f", "-"], { input });
}

function hasServiceAccount(name: string): Promise<boolean> {
  const args = ["get", "serviceaccount", "default", "-n", name];
  return kubectl(args).then(
    () => true,
    () => false,
  );
}

function namespace(name: string, team: string): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { team } } };
}

/** Two Deployments in payments, one in db behind a Service whose target is a named port, and what lets one of them in. */
function workloads(): object[] {
  const ports = [{ name: "postgres", port: 5432, targetPort: "pg" }];
  const service = { selector: { app: "postgres" }, ports };
  const from = [
    { namespaceSelector: { matchLabels: { team: "pay" } }, podSelector: { matchLabels: { app: "checkout" } } },
  ];
  return [
    deployment(payments, "checkout", 2),
    deployment(payments, "report", 1),
    deployment(db, "postgres", 2),
    { apiVersion: "v1", kind: "Service", metadata: { name: "postgres", namespace: db }, spec: service },
    policy("default-deny", { podSelector: {} }),
    policy("allow-checkout", {
      podSelector: { matchLabels: { app: "postgres" } },
      ingress: [{ from, ports: [{ port: "pg" }] }],
    }),
  ];
}

function deployment(where: string, app: string, replicas: number): object {
  const containers = [{ name: "main", image: "none.invalid/main", ports: [{ name: "pg", containerPort: 15_432 }] }];
  const template = { metadata: { labels: { app } }, spec: { containers } };
  const spec = { replicas, selector: { matchLabels: { app } }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: app, namespace: where }, spec };
}

function policy(name: string, spec: object): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: db }, spec };
}

const crdName = "adminnetworkpolicies.policy.networking.k8s.io";

/** As much of the definition as the API server wants; its group is Kubernetes' own, which needs the annotation. */
function definition(): object {
  const names = { plural: "adminnetworkpolicies", singular: "adminnetworkpolicy", kind: "AdminNetworkPolicy" };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const annotations = { "api-approved.kubernetes.io": "unapproved, for a test" };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: crdName, annotations },
    spec: {
      group: "policy.networking.k8s.io",
      scope: "Cluster",
      names,
      versions: [{ name: "v1alpha1", served: true, storage: true, schema }],
    },
  };
}

const lockdown = {
  apiVersion: "policy.networking.k8s.io/v1alpha1",
  kind: "AdminNetworkPolicy",
  metadata: { name: "close-data" },
  spec: {
    priority: 10,
    subject: { namespaces: { matchLabels: { team: "data" } } },
    ingress: [{ name: "nobody", action: "Deny", from: [{ namespaces: {} }] }],
  },
};

test("An explanation of a Service says yes, on its pods' own port, by the policy and rule that lets it in", async () => {
  for (const one of [desk, fresh]) {
    const reply = await one.type(asked);
    expect(reply.headline).toBe(
      `Yes: ${payments}/checkout can connect to ${db}/postgres on TCP 5432 (the pod's port 15432).`,
    );
    expect(wordsOf(reply)).toContain(`Allowed by NetworkPolicy ${db}/allow-checkout, ingress[0]`);
    expect(wordsOf(reply)).toContain(`${payments}/checkout is Deployment checkout, 2 pods.`);
    expect(wordsOf(reply)).toContain(`${db}/postgres is Service postgres: its port 5432 is port 15432 of 2 pods.`);
  }
});

test("It says no to who is not let in, and names the policies that close the way", async () => {
  const reply = await desk.type(`explain ${payments}/report -> ${db}/postgres:5432`);
  expect(reply.headline).toMatch(/^No: explain-payments\/report cannot connect/);
  expect(wordsOf(reply)).toMatch(/explain-db\/allow-checkout.*explain-db\/default-deny/);
});

test("A pod is taken by the beginning of its name, and what is not there is named with what is", async () => {
  const [pod] = (await cluster.facts(payments, "cache")).pods.filter(({ name }) => name.startsWith("rep"));
  expect((await desk.type(`explain ${payments}/rep → ${db}/postgres:5432`)).headline).toContain(
    `No: ${payments}/${pod!.name}`,
  );
  const missing = await desk.type(`explain ${payments}/chekout → ${db}/postgres:5432`);
  expect(missing.outcome).toBe("refused");
  expect(wordsOf(missing)).toContain("Did you mean checkout?");
});

test("A terminal with a kubeconfig gives the same answer", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-explain-"));
  const config = { access: [{ principals: ["terminal:admin"], verbs: ["status"], namespaces: [payments, db] }] };
  await writeFile(join(folder, "config.yaml"), stringify({ ...config, terminal: { user: "admin" } }));
  const { REDIS_URL: _redis, ...rest } = process.env;
  const env = { ...rest, BULKHEAD_CONFIG: join(folder, "config.yaml") };
  const args = ["explain", "--from", `${payments}/checkout`, "--to", `${db}/postgres`, "--port", "5432"];
  const told = await new Promise<string>((resolve) => {
    execFile(process.execPath, [cli, ...args], { env }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
  await rm(folder, { recursive: true, force: true });
  expect(told).toContain(`Yes: ${payments}/checkout can connect to ${db}/postgres on TCP 5432`);
});

test("With an AdminNetworkPolicy that nothing is known to enforce the answer is undecided, and names it", async () => {
  await apply(definition());
  await kubectl(["wait", "--for=condition=established", `customresourcedefinition/${crdName}`, "--timeout=30s"]);
  await waitFor(() => apply(lockdown).then(Boolean, () => false), { everyMs: 200 });
  const reply = await desk.type(asked);
  expect(reply.headline).toMatch(/^Undecided: whether explain-payments\/checkout can connect/);
  expect(wordsOf(reply)).toContain("Perhaps denied by AdminNetworkPolicy close-data, ingress[0] (nobody)");
  expect(wordsOf(reply)).toContain("so that what it decides counts as undecided");
});

test("Without the right to list them it says that they could not be read, and is undecided", async () => {
  type Role = { readonly rules: readonly { readonly apiGroups: readonly string[] }[] };
  const role = await kubectlJson<Role>(["get", "clusterrole", "bulkhead-read"]);
  const rules = role.rules.filter(({ apiGroups }) => !apiGroups.includes("policy.networking.k8s.io"));
  const list = "list adminnetworkpolicies.policy.networking.k8s.io";
  expect(await canI(asBot, list, db)).toBe(true);
  await kubectl(["replace", "-f", "-"], { input: JSON.stringify({ ...role, rules }) });
  await waitFor(async () => !(await canI(asBot, list, db)), { everyMs: 100 });
  const reply = await desk.type(asked);
  expect(reply.headline).toMatch(/^Undecided: not all was read/);
  expect(wordsOf(reply)).toMatch(/adminnetworkpolicies\.policy\.networking\.k8s\.io: .*forbidden/);
  expect(wordsOf(reply)).toContain("By what was read it would be: yes.");
  expect(desk.errors()).toEqual([]);
});
