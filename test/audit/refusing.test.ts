import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { createSpool } from "../../src/audit/spool.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { anEntry } from "./entries.ts";

let server: OwnRedis;
let admin: Redis;
let folder = "";
const open: { stop(): unknown }[] = [];

beforeEach(async () => {
  const user = "--user bot on >secret ~{bulkhead}:* -@all +@read +@write +@scripting +@connection +info".split(" ");
  server = await startOwnRedis(user);
  admin = new Redis(server.port, "127.0.0.1", { maxRetriesPerRequest: 1 });
  admin.on("error", () => undefined);
  folder = await mkdtemp(join(tmpdir(), "bulkhead-refusing-"));
});

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.stop();
  admin.disconnect();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function logAt(url: string): Promise<{ readonly log: ChainStore; readonly redis: Redis }> {
  const redis = connectRedis(url, { onError: () => undefined });
  open.push({ stop: () => redis.disconnect() });
  expect(await untilReady(redis, 5_000)).toBe(true);
  const spool = createSpool(join(folder, "spool"), { maxBytes: 1e6, now: Date.now, onProblem: () => undefined });
  return {
    redis,
    log: createAuditLog(redis, { onEntry: () => undefined, spooling: { spool, onUnchained: () => undefined } }),
  };
}

const asBot = () => server.url.replace("//", "//bot:secret@");

/** Refused clearly while it lasts, spooled where it may be, and both in the chain afterwards. */
async function holds(log: ChainStore, reason: RegExp, end: () => Promise<unknown>): Promise<void> {
  await expect(log.append(anEntry(2))).rejects.toThrow(reason);
  expect(await log.append(anEntry(3), { spool: true })).toMatchObject({ kind: "spooled" });
  await end();
  await waitFor(
    () =>
      log.replaySpool().then(
        () => true,
        () => false,
      ),
    { timeoutMs: 15_000, everyMs: 100 },
  );
  expect(await log.append(anEntry(2))).toMatchObject({ kind: "chained" });
  expect((await log.read({})).map(({ id }) => id)).toEqual([1, 3, 2].map((number) => `q-${number}:intent`));
  expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: 3 });
}

test("A right that is taken away (NOPERM)", async () => {
  const { log } = await logAt(asBot());
  await log.append(anEntry(1));
  await admin.call("ACL", "SETUSER", "bot", "-xadd");
  await holds(log, /NOPERM|no permissions|can't run/i, () => admin.call("ACL", "SETUSER", "bot", "+xadd"));
});

test("A server that became a replica (READONLY)", async () => {
  const { log } = await logAt(server.url);
  await log.append(anEntry(1));
  await admin.replicaof("127.0.0.1", 1);
  await holds(log, /READONLY|read only|closed|writeable|max retries/i, () => admin.replicaof("NO", "ONE"));
});

test("A server without enough replicas (NOREPLICAS)", async () => {
  const { log } = await logAt(server.url);
  await log.append(anEntry(1));
  await admin.config("SET", "min-replicas-to-write", 1);
  await holds(log, /NOREPLICAS/, () => admin.config("SET", "min-replicas-to-write", 0));
});

test("A server that cannot save (MISCONF)", async () => {
  const { log } = await logAt(server.url);
  await log.append(anEntry(1));
  await admin.config("SET", "save", "3600 1");
  await rm(await dataFolder(), { recursive: true, force: true });
  await admin.bgsave();
  await waitFor(async () => /rdb_last_bgsave_status:err/.test(await admin.info("persistence")), { timeoutMs: 10_000 });
  await holds(log, /MISCONF/, () => admin.config("SET", "stop-writes-on-bgsave-error", "no"));
});

test("A server that is still loading its data (LOADING)", async () => {
  const { log } = await logAt(server.url);
  await log.append(anEntry(1));
  const filler = admin.pipeline();
  for (let number = 0; number < 6_000; number += 1) filler.set(`filler:${number}`, number);
  await filler.exec();
  await server.kill();
  // Each write takes that long to load, and after every 1024 of them the server answers: so there is something to see.
  const loaded = server.restart(["--key-load-delay", "500"]);
  await waitFor(() => refusedAs(/LOADING/), { timeoutMs: 60_000, everyMs: 10 });
  await holds(log, /LOADING|closed|writeable|max retries/i, () => loaded);
});

async function refusedAs(reason: RegExp): Promise<boolean> {
  const client = new Redis(server.port, "127.0.0.1", {
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.get("filler:1");
    return false;
  } catch (error) {
    return reason.test(String(error));
  } finally {
    client.disconnect();
  }
}

async function dataFolder(): Promise<string> {
  const [, folder = ""] = (await admin.config("GET", "dir")) as string[];
  return folder;
}

test("A connection that is open at one end only", async () => {
  const sockets: Socket[] = [];
  let dead = false;
  const proxy: Server = createServer((client) => {
    const upstream = connect(server.port, "127.0.0.1");
    sockets.push(client, upstream);
    client.on("error", () => undefined).on("data", (data) => void (dead || upstream.write(data)));
    upstream.on("error", () => undefined).on("data", (data) => void (dead || client.write(data)));
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  open.push({
    stop() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  const address = proxy.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const { log } = await logAt(`redis://127.0.0.1:${port}`);
  await log.append(anEntry(1));
  dead = true;
  await holds(log, /timed out|closed|writeable|max retries/i, () => Promise.resolve((dead = false)));
});
