import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runFromTerminal } from "../src/cli-run.ts";
import { parse } from "../src/commands/parse.ts";
import type { Reply } from "../src/commands/reply.ts";
import { type SandboxCluster, startSandboxCluster } from "../src/sandbox/kubernetes/cluster.ts";
import { testRedisUrl } from "./redis.ts";

let cluster: SandboxCluster;
let folder: string;
let shown: Reply[];

const config = `
clusters: [{ name: sandbox, enforcement: enforced }]
settle: 0s
access: [{ principals: ["terminal:sandbox-admin"], verbs: ["*"], namespaces: [payments] }]
`;

const pod = (labels: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "checkout-1", namespace: "payments", labels },
  spec: { containers: [{ name: "main", image: "x" }] },
  status: { phase: "Running" },
});

const service = (app: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "checkout", namespace: "payments" },
  spec: { selector: { app }, ports: [{ port: 80 }] },
});

beforeEach(async () => {
  shown = [];
  folder = await mkdtemp(join(tmpdir(), "bulkhead-cli-run-"));
  cluster = await startSandboxCluster();
  cluster.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    service("checkout"),
    pod({ app: "checkout" }),
  );
  await writeFile(join(folder, "kubeconfig"), cluster.kubeconfig);
});

afterEach(async () => {
  await cluster.close();
  await rm(folder, { recursive: true, force: true });
});

type Ask = (question: string) => Promise<boolean>;

const quarantine = (ask: Ask): Promise<Reply> => run(["quarantine", "payments/checkout-1"], ask);

async function run(words: readonly string[], ask: Ask): Promise<Reply> {
  const command = parse(words.join(" "));
  if (command.kind === "usage") throw new Error(command.problem);
  const result = await runFromTerminal({
    env: { KUBECONFIG: join(folder, "kubeconfig"), REDIS_URL: testRedisUrl() },
    configText: config,
    read: () => undefined,
    now: Date.now,
    wait: () => Promise.resolve(),
    host: "test",
    command,
    invocation: { words, confirmations: 0, output: "text" },
    progress: () => undefined,
    ask,
    show: (reply) => void shown.push(reply),
  });
  if ("problems" in result) throw new Error(result.problems.join("\n"));
  return result;
}

const labels = () => cluster.objects("Pod", "payments")[0]?.metadata.labels;

test("A plan that was shown and agreed to is carried out without another question", async () => {
  const questions: string[] = [];
  const reply = await quarantine((question) => Promise.resolve(questions.push(question) > 0));
  expect(reply.headline).toMatch(/^ISOLATED/);
  expect(questions).toEqual(["Go on? [y/N] "]);
  expect(shown).toHaveLength(1);
});

test("A plan that became another one while the person read is shown again, and asked about anew", async () => {
  const questions: string[] = [];
  const reply = await quarantine((question) => {
    questions.push(question);
    if (questions.length > 1) return Promise.resolve(false);
    cluster.apply(pod({ app: "checkout", "pod-template-hash": "7d9f" }));
    return Promise.resolve(true);
  });
  expect(questions).toHaveLength(2);
  expect(shown).toHaveLength(2);
  expect(shown[1]?.planHash).not.toBe(shown[0]?.planHash);
  expect(reply.outcome).toBe("needs-confirmation");
  expect(labels()).toEqual({ app: "checkout", "pod-template-hash": "7d9f" });
  expect(cluster.objects("NetworkPolicy", "payments")).toEqual([]);
});

test("What needs another person's approval waits for it, and at a terminal the plan is shown before one agrees", async () => {
  const questions: string[] = [];
  const yes: Ask = (question) => Promise.resolve(questions.push(question) > 0);
  const waiting = await run(["quarantine", "payments/checkout-1", "--override"], yes);
  expect(waiting.outcome).toBe("needs-approval");
  expect(questions).toHaveLength(1);
  const id = waiting.operation ?? "";
  const declined = await run(["approve", id], () => Promise.resolve(false));
  expect(declined.outcome).toBe("needs-confirmation");
  expect(shown.at(-1)?.headline).toMatch(/^Waiting for approval/);
  const refused = await run(["approve", id], yes);
  expect(JSON.stringify(refused.sections)).toContain("is, or looks like, whoever asked for it");
  const status = JSON.stringify((await run(["status"], yes)).sections);
  expect(status).toMatch(new RegExp(`${id}: [^"]*waits for approval`));
  expect(cluster.objects("NetworkPolicy", "payments")).toEqual([]);
});
