import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectCluster } from "../../src/composition.ts";
import type { SandboxFile } from "../../src/sandbox/slack/shared-file.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { slackTest } from "../certificate.ts";
import { type ConnectProxy, startConnectProxy } from "../connect-proxy.ts";
import { json, kubeconfig } from "../kubernetes/scripted-api.ts";
import { readPng } from "../pictures/png.ts";
import { connectTestRedis, emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { linesOf } from "./drops.ts";

const token = "0123456789abcdef0123456789abcdef";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-proxy-"));
  await writeFile(join(folder, "ca.pem"), slackTest.cert);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("behind a proxy, with a Slack whose certificate only a private authority vouches for", () => {
  let slackPort = 0;
  let tls: Server;
  let proxy: ConnectProxy;

  beforeAll(async () => {
    (await connectTestRedis()).disconnect();
    tls = createServer(slackTest, (socket) => {
      const onward = connect(slackPort, "127.0.0.1");
      socket.pipe(onward).pipe(socket);
      for (const one of [socket, onward]) one.on("error", () => one.destroy());
    }).listen(0, "127.0.0.1");
    await once(tls, "listening");
    proxy = await startConnectProxy((target) =>
      target === "slack.test:443" ? (tls.address() as AddressInfo).port : slackPort,
    );
  });
  afterAll(async () => {
    await proxy?.close();
    tls?.close();
  });

  test("the bot works: the Web API, the sockets and uploads go through it, the API server and Redis do not", async () => {
    const env = {
      ...process.env,
      FLOWS_TOKEN: token,
      HTTPS_PROXY: proxy.url.replace("//", "//bot:hunter2@"),
      NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
    };
    const world = await startWorld({
      node: process.execPath,
      env,
      redisUrl: await emptyTestRedis(),
      slack: { uploadOrigin: "https://slack.test" },
      slackEnv: ({ apiUrl }) => {
        slackPort = Number(new URL(apiUrl).port);
        return { SLACK_API_URL: "https://slack.test/api/" };
      },
    });
    try {
      const { slack } = world;
      const calls = () => slack.calls.map(({ method }) => method);
      await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "whoami" });
      await slack.waitForMessage(({ text }) => text.includes("Alice"));
      const picture = await pictureOf(world);
      expect(readPng({ png: picture.bytes }).width).toBe(1_460);
      expect(new Set(calls())).toContain("apps.connections.open");
      expect(new Set(calls())).toContain("users.info");
      expect(new Set(proxy.asked)).toEqual(new Set(["slack.test:443", `127.0.0.1:${slackPort}`]));
      // Two sockets, which the sandbox offers at its own address.
      expect(proxy.asked.filter((target) => target !== "slack.test:443").length).toBeGreaterThanOrEqual(2);
      expect(new Set(proxy.credentials)).toEqual(new Set([`Basic ${btoa("bot:hunter2")}`]));
      expect(world.bot.lines.join("\n")).not.toContain("hunter2");
    } finally {
      await world.close();
    }
  });
});

/** What is denied, posted straight to the bot, and asked for in Slack until its picture came. */
async function pictureOf({ bot, slack }: World): Promise<SandboxFile> {
  const to = { namespace: "db", workload: "postgres", port: 5_432 };
  const body = gzipSync(linesOf({ count: 100, from: 0, to, atMs: Date.now() - 1_000 }));
  const headers = {
    authorization: `Bearer ${token}`,
    "content-encoding": "gzip",
    "content-type": "application/x-ndjson",
  };
  await fetch(`${bot.url}/flows/sandbox`, { method: "POST", headers, body });
  const shared = () => slack.messages("D0ALICE").flatMap(({ files = [] }) => files);
  return waitFor(
    async () => {
      await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "flows db" });
      return waitFor(() => shared()[0], { timeoutMs: 10_000 }).catch(() => undefined);
    },
    { timeoutMs: 60_000 },
  ).then((file) => file as SandboxFile);
}

describe("a cluster of a kubeconfig", () => {
  let proxy: ConnectProxy;
  beforeAll(async () => {
    proxy = await startConnectProxy(() => undefined);
  });
  afterAll(() => proxy?.close());

  /** What the proxy was asked for when that cluster was called, whose name nothing resolves. */
  async function asked(env: Record<string, string>, more: object = {}): Promise<readonly string[]> {
    const path = join(folder, "kubeconfig");
    await writeFile(path, kubeconfig("https://api.invalid:6443", { token: "t" }, more));
    const cluster = { name: "c", kubeconfig: path, context: undefined, enforcement: "unknown" } as const;
    const connection = connectCluster(cluster, env, Date.now);
    const before = proxy.asked.length;
    try {
      await expect(connection.request("GET", "/version", { timeoutMs: 5_000 })).rejects.toThrow();
    } finally {
      await connection.close();
    }
    return [...new Set(proxy.asked.slice(before))];
  }

  test("is reached by HTTPS_PROXY, as with kubectl", async () => {
    expect(await asked({ HTTPS_PROXY: proxy.url })).toEqual(["api.invalid:6443"]);
  });

  test("is reached straight where NO_PROXY names it", async () => {
    expect(await asked({ HTTPS_PROXY: proxy.url, NO_PROXY: ".invalid" })).toEqual([]);
  });

  test("is reached by its own proxy-url, whatever the environment says", async () => {
    const env = { HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "*" };
    expect(await asked(env, { "proxy-url": proxy.url })).toEqual(["api.invalid:6443"]);
  });

  test("is believed by the authority of its kubeconfig alone, straight and through a proxy", async () => {
    const server = createHttpsServer(slackTest, (_request, response) => json(response, { major: "1" }));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const through = await startConnectProxy(() => port);
    const path = join(folder, "private");
    const ca = { "certificate-authority-data": btoa(slackTest.cert), "insecure-skip-tls-verify": false };
    const version = async (address: string, more: object): Promise<unknown> => {
      await writeFile(path, kubeconfig(address, { token: "t" }, { "insecure-skip-tls-verify": false, ...more }));
      const cluster = { name: "c", kubeconfig: path, context: undefined, enforcement: "unknown" } as const;
      const connection = connectCluster(cluster, {}, Date.now);
      try {
        return await connection.request("GET", "/version");
      } finally {
        await connection.close();
      }
    };
    const straight = `https://127.0.0.1:${port}`;
    try {
      await expect(version(straight, { "tls-server-name": "slack.test" })).rejects.toThrow(/certificate/);
      await expect(version(straight, ca)).rejects.toThrow(/certificate/);
      expect(await version(straight, { ...ca, "tls-server-name": "slack.test" })).toEqual({ major: "1" });
      expect(await version("https://slack.test", { ...ca, "proxy-url": through.url })).toEqual({ major: "1" });
      expect(through.asked).toEqual(["slack.test:443"]);
    } finally {
      await through.close();
      server.closeAllConnections();
      server.close();
    }
  });

  test("is not the bot's own: in a pod no proxy counts", async () => {
    const env = { HTTPS_PROXY: proxy.url, KUBERNETES_SERVICE_HOST: "10.96.0.1" };
    const own = { name: "own", kubeconfig: undefined, context: undefined, enforcement: "unknown" } as const;
    const connection = connectCluster(own, env, Date.now);
    const before = proxy.asked.length;
    await expect(connection.request("GET", "/version", { timeoutMs: 2_000 })).rejects.toThrow();
    await connection.close();
    expect(proxy.asked.length).toBe(before);
  });
});
