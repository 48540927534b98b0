import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { type Connection, createConnection } from "../../src/kubernetes/connection.ts";
import { type SandboxCluster, startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { waitFor } from "../wait.ts";

const patience = { timeoutMs: 15_000 };

type Watched = AsyncDisposable & {
  readonly sandbox: SandboxCluster;
  readonly connection: Connection;
  readonly cluster: Cluster;
  readonly pass: (ms: number) => void;
};

/** A cluster with three pods and a policy, watched by a cache that is complete. Calls end after 500 ms. */
async function startWatched(): Promise<Watched> {
  const sandbox = await startSandboxCluster({
    controllers: false,
    objects: [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
      ...["a", "b", "c"].map((name) => pod(name)),
      policy("open"),
    ],
  });
  let elapsed = 0;
  const now = () => Date.now() + elapsed;
  const source = { kind: "text", text: sandbox.kubeconfig } as const;
  const connection = createConnection({ source, now, cluster: "prod", timeoutMs: 500 });
  // The first call imports client-node, which takes longer than that on a busy machine.
  const cluster = await createCluster("prod", connection, { now, watch: true });
  await waitFor(() => cluster.watches().every(({ synced }) => synced), patience);
  return {
    sandbox,
    connection,
    cluster,
    pass: (ms) => void (elapsed += ms),
    async [Symbol.asyncDispose]() {
      sandbox.faults.thaw();
      await cluster.close();
      await sandbox.close();
    },
  };
}

function pod(name: string, app = "web"): object {
  const metadata = { name, namespace: "shop", labels: { app } };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main", image: "x" }] } };
}

function policy(name: string) {
  const labels = { "bulkhead.dev/kind": "quarantine" };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "shop", labels },
    spec: { podSelector: { matchLabels: { app: "web" } } },
  } as const;
}

/** Waits until the cache holds exactly what the sandbox does. */
async function expectRight({ cluster, sandbox }: Watched): Promise<void> {
  const versions = (pods: readonly { name: string; resourceVersion: string }[]) =>
    pods.map(({ name, resourceVersion }) => `${name} ${resourceVersion}`).sort();
  const stored = () =>
    versions(
      sandbox
        .objects("Pod", "shop")
        .map(({ metadata }) => ({ ...metadata, resourceVersion: metadata.resourceVersion ?? "" })),
    );
  await waitFor(async () => {
    if (cluster.watches().some(({ synced, problem }) => !synced || problem !== undefined)) return false;
    return versions((await cluster.facts("shop", "cache")).pods).join() === stored().join();
  }, patience);
}

test("While the server is frozen the old cache answers and says so, nothing recent does, and afterwards it is right again", async () => {
  await using watched = await startWatched();
  const { sandbox, cluster, pass } = watched;
  sandbox.faults.freeze();
  pass(45_000);
  const facts = await cluster.facts("shop", "cache");
  expect(facts.pods.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  expect(facts.ageMs).toBeGreaterThanOrEqual(45_000);
  expect(facts.unanswered).toMatchObject({ kind: "timeout", cluster: "prod" });
  const policies = await cluster.knownPolicies({ matchLabels: { "bulkhead.dev/kind": "quarantine" } });
  expect(policies.items.map(({ metadata }) => metadata.name)).toEqual(["open"]);
  expect(policies.unanswered?.message).toMatch(/^cluster prod: the Kubernetes API at 127\.0\.0\.1:\d+ did not answer /);
  expect((await cluster.knownPolicies({ matchLabels: { "bulkhead.dev/kind": "other" } })).items).toEqual([]);
  expect((await cluster.namespaces()).map(({ name }) => name)).toContain("shop");
  for (const from of ["recent", "fresh"] as const)
    await expect(cluster.facts("shop", from)).rejects.toMatchObject({ kind: "timeout" });
  sandbox.apply(pod("d"), pod("a", "changed"));
  sandbox.faults.thaw();
  await expectRight(watched);
  expect((await cluster.facts("shop", "recent")).unanswered).toBeUndefined();
});

test("A server that falls silent makes a current cache count as old at once", async () => {
  await using watched = await startWatched();
  const { sandbox, cluster } = watched;
  expect((await cluster.facts("shop", "recent")).unanswered).toBeUndefined();
  sandbox.faults.freeze();
  await expect(cluster.getPod("shop", "a")).rejects.toMatchObject({ kind: "timeout", cluster: "prod" });
  expect((await cluster.facts("shop", "cache")).unanswered).toMatchObject({ kind: "timeout" });
  await expect(cluster.facts("shop", "recent")).rejects.toMatchObject({ kind: "timeout" });
});

test("What is written upon comes from the server where the cache was not confirmed for a few seconds", async () => {
  await using watched = await startWatched();
  const { sandbox, cluster, pass } = watched;
  expect((await cluster.facts("shop", "recent")).ageMs).toBeGreaterThanOrEqual(0);
  sandbox.faults.inject({ path: "watch=true", times: 1_000 }, { type: "status", code: 503 });
  sandbox.faults.dropWatches();
  pass(15_000);
  expect(await cluster.facts("shop", "cache")).toMatchObject({ ageMs: expect.any(Number) });
  expect((await cluster.facts("shop", "cache")).ageMs).toBeGreaterThanOrEqual(15_000);
  expect((await cluster.facts("shop", "recent")).ageMs).toBe(0);
});

test("Deletions in a gap that ends with 410 are seen, and so is a pod made again under its name", async () => {
  await using watched = await startWatched();
  const { sandbox, connection, cluster } = watched;
  const changes: string[] = [];
  cluster.onPodChange(({ kind, value }) => void changes.push(`${kind} ${value.name}`));
  sandbox.faults.inject({ path: "watch=true", times: 1_000 }, { type: "status", code: 503 });
  sandbox.faults.dropWatches();
  for (const name of ["a", "b"])
    await connection.request("DELETE", `/api/v1/namespaces/shop/pods/${name}`, { body: { gracePeriodSeconds: 0 } });
  sandbox.apply(pod("b", "again"));
  sandbox.faults.expireHistory();
  sandbox.faults.clear();
  await expectRight(watched);
  expect(changes).toEqual(["deleted a", "deleted b", "added b"]);
});

test("An ERROR event with 410 in the middle of every watch leaves the cache right", async () => {
  await using watched = await startWatched();
  for (let round = 0; round < 5; round += 1) {
    await waitFor(() => watched.sandbox.faults.expireWatches() > 0, patience);
    watched.sandbox.apply(pod(`late-${round}`));
  }
  await expectRight(watched);
});

test("With a fifth of all answers 5xx, and connections reset among them, the cache stays right", async () => {
  await using watched = await startWatched();
  const { faults } = watched.sandbox;
  faults.inject({ share: 0.2, seed: 7 }, { type: "status", code: 500 });
  faults.inject({ share: 0.05, seed: 8 }, { type: "reset" });
  for (let round = 0; round < 30; round += 1) {
    watched.sandbox.apply(pod(`pod-${round}`));
    if (round === 10) faults.dropWatches();
    if (round === 20) faults.expireWatches();
    await watched.cluster.facts("shop", "fresh").catch(() => undefined);
  }
  expect(faults.struck()).toBeGreaterThan(10);
  faults.clear();
  await expectRight(watched);
});

test("After the token was rotated the kubeconfig is read again; where it was not renewed, the answer says so without it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-"));
  const path = join(folder, "config");
  const sandbox = await startSandboxCluster({ token: "first-token", controllers: false });
  writeFileSync(path, sandbox.kubeconfig);
  const connection = createConnection({ source: { kind: "files", paths: [path] }, now: Date.now, cluster: "prod" });
  try {
    await connection.request("GET", "/api/v1/pods");
    sandbox.rotateToken("first-token", "second-token");
    const error = await connection.request("GET", "/api/v1/pods").catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      kind: "unauthorized",
      message: "cluster prod: the Kubernetes API does not accept these credentials (401, GET /api/v1/pods)",
    });
    expect(JSON.stringify(error)).not.toContain("first-token");
    writeFileSync(path, sandbox.kubeconfigFor("second-token"));
    await connection.request("GET", "/api/v1/pods");
  } finally {
    await connection.close();
    await sandbox.close();
    rmSync(folder, { recursive: true });
  }
});
