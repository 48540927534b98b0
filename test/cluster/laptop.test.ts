import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { createAuditLog } from "../../src/audit/log.ts";
import { startWorld } from "../../src/sandbox/world.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { connectTestRedis, testRedisUrl } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { kubectl, kubectlJson } from "./kubectl.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const namespace = "laptop-payments";
const kubeconfig = process.env["KUBECONFIG"] ?? "";
const config = {
  clusters: [{ name: "prod", enforcement: "enforced" }],
  settle: "1s",
  access: [{ principals: ["terminal:admin"], verbs: ["*"], namespaces: [namespace] }],
  terminal: { user: "admin" },
};
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-laptop-"));
  await writeFile(join(folder, "config.yaml"), stringify(config));
  for (const name of [namespace, "bulkhead"]) {
    await kubectl(["create", "namespace", name]).catch(() => undefined);
  }
  await kubectl(["create", "-f", "-"], {
    input: stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "worker", namespace, labels: { app: "worker", team: "core" } },
      spec: { containers: [{ name: "main", image: "x" }], automountServiceAccountToken: false },
    }),
  });
});

afterAll(async () => {
  await kubectl(["delete", "namespace", namespace, "bulkhead", "--ignore-not-found", "--wait", "--timeout=50s"]);
  await rm(folder, { recursive: true, force: true });
});

/** A terminal on a laptop: no Slack, and a Redis only where the environment names one. */
function laptop(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number; out: string }> {
  const { REDIS_URL: _redis, ...rest } = process.env;
  const options = { env: { ...rest, BULKHEAD_CONFIG: join(folder, "config.yaml"), KUBECONFIG: kubeconfig, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out: stdout + stderr });
    });
  });
}

async function records(): Promise<readonly unknown[]> {
  return (
    await kubectlJson<{ items: unknown[] }>([
      "get",
      "configmaps",
      "-n",
      "bulkhead",
      "-l",
      "bulkhead.dev/record=operation",
    ])
  ).items;
}

async function podLabels(): Promise<Record<string, string>> {
  return (
    await kubectlJson<{ metadata: { labels: Record<string, string> } }>(["get", "pod", "worker", "-n", namespace])
  ).metadata.labels;
}

test("a laptop quarantines with Slack and Redis away, and the bot adopts operation and intent", async () => {
  const done = await laptop(["quarantine", `${namespace}/worker`, "odd traffic", "--yes"]);
  expect(done.out).toMatch(/ISOLATED FOR NEW CONNECTIONS/);
  expect(done.code).toBe(0);
  const id = /q-[0-9a-z]{7}/.exec(done.out)?.[0] ?? "";
  expect(await podLabels()).toMatchObject({ "bulkhead.dev/quarantine": id });
  expect(await records()).toHaveLength(1);

  const redis = await connectTestRedis();
  const world = await startWorld({
    node: process.execPath,
    env: process.env,
    redisUrl: testRedisUrl(),
    kubeconfig: await readFile(kubeconfig, "utf8"),
    config,
  });
  try {
    const audit = createAuditLog(redis, { onEntry: () => undefined });
    await waitFor(async () => (await records()).length === 0, { timeoutMs: 30_000 });
    const entries = await audit.read({ operation: id });
    expect(entries.map(({ kind }) => kind)).toEqual(["intent", "outcome", "adopted"]);
    expect(entries[0]).toMatchObject({ actor: { kind: "terminal", user: "admin" }, reason: "odd traffic" });
    expect(await createOperations(redis, { now: Date.now }).get(id)).toMatchObject({ state: "in-force" });

    const released = await laptop(["release", id, "--yes"], { REDIS_URL: testRedisUrl() });
    expect(released).toMatchObject({ code: 0 });
    expect(await podLabels()).toEqual({ app: "worker", team: "core" });
  } finally {
    await world.close();
    redis.disconnect();
  }
});

test("without Redis a release is refused: what the labels were cannot be proved", async () => {
  const refused = await laptop(["release", "q-0000000", "--yes"]);
  expect(refused).toMatchObject({ code: 3 });
  expect(refused.out).toMatch(/no operation q-0000000/);
});
