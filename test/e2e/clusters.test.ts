import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SandboxCluster, startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" };

let folder: string;
let frozen: { readonly port: number; readonly close: () => Promise<void> };
let late: SandboxCluster | undefined;
let latePort: number;
let world: World;

/** Beside the sandbox: a cluster that takes connections and says nothing, and one that is not up yet. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-clusters-"));
  frozen = await startSilentServer();
  const other = await startSandboxCluster();
  latePort = other.port;
  await writeFile(join(folder, "late"), other.kubeconfig);
  await writeFile(join(folder, "frozen"), other.kubeconfig.replaceAll(`:${other.port}`, `:${frozen.port}`));
  await other.close();
  world = await startWorld({
    node: process.execPath,
    env: process.env,
    redisUrl: await emptyTestRedis(),
    config: {
      settle: "0s",
      clusters: [
        { name: "sandbox", enforcement: "enforced" },
        { name: "frozen", kubeconfig: join(folder, "frozen") },
        { name: "late", kubeconfig: join(folder, "late") },
      ],
    },
  });
}, 60_000);

afterAll(async () => {
  await world?.close();
  await Promise.all([frozen?.close(), late?.close()]);
  await rm(folder, { recursive: true, force: true });
});

async function startSilentServer(): Promise<typeof frozen> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Everything that is said from now on and matches. */
function say(text: string, expected: RegExp): Promise<string | undefined> {
  const before = new Set(heard());
  const answered = waitFor(() => heard().find((one) => !before.has(one) && expected.test(one)), { timeoutMs: 20_000 });
  return world.slack.command({ ...alice, text }).then(() => answered);
}

/** Every message that alice sees, as text; what looks the same again is told apart by its place. */
function heard(): readonly string[] {
  const all: readonly Message[] = [...world.slack.messages(alice.channel), ...world.slack.ephemerals(alice.user)];
  return all.map(({ ts, text, blocks }) => JSON.stringify([ts, text, blocks]));
}

test("The bot is ready and works with two of its three clusters away, and takes up one that comes back", async () => {
  const [pod] = world.cluster.objects("Pod", "shop").map(({ metadata }) => metadata.name);
  const status = await say("status", /Cluster sandbox/);
  expect(status).toMatch(
    /Cluster sandbox: policies enforced".*strongest policy engine: networkpolicy\. The configuration says so\..*nothing of Bulkhead's is in force/,
  );
  expect(status).toMatch(/Cluster frozen: [^]*NOT KNOWN/);
  expect(status).toMatch(/Cluster late: [^]*NOT KNOWN/);

  await say(`quarantine shop/${pod}`, /luster frozen could not be asked .*luster late could not be asked/);
  await say(`quarantine sandbox:shop/${pod} --confirm ${pod} --dry-run`, /Dry run: Plan: quarantine shop/);

  late = await startSandboxCluster({ port: latePort });
  late.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const back = await say("status late:", /Cluster late: /);
  expect(back).toMatch(/nothing of Bulkhead's is in force/);
  expect(back).not.toMatch(/Cluster (sandbox|frozen)/);
  expect(world.bot.lines.some((line) => line.includes('"cluster":"late"') && line.includes('"msg":"watch"'))).toBe(
    true,
  );
  expect(await fetch(`${world.bot.url}/readyz`).then(({ status: code }) => code)).toBe(200);
}, 90_000);
