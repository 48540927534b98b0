import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createAuditLog } from "../src/audit/log.ts";
import { verifyChain } from "../src/audit/verify.ts";
import { connectRedis, type RedisAccess, untilReady } from "../src/redis.ts";
import { anEntry } from "./audit/entries.ts";
import {
  type Certificates,
  freePort,
  makeCertificates,
  type OwnRedis,
  startOwnRedis,
  startSentinels,
} from "./redis.ts";
import { waitFor } from "./wait.ts";

let folder = "";
let certificates: Certificates;
let server: OwnRedis;
let access: RedisAccess;
let url = "";
const clients: Redis[] = [];

/** As deploy/components/redis grants it to the bot. */
async function leastRights(): Promise<readonly string[]> {
  const acl = await readFile(new URL("../deploy/components/redis/users.acl", import.meta.url), "utf8");
  const [line = ""] = /^user bulkhead .*$/m.exec(acl) ?? [];
  return line.replace(/^user/, "--user").replace(/#\S+/, ">secret").split(" ");
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-tls-"));
  certificates = await makeCertificates(folder);
  const tlsPort = await freePort();
  server = await startOwnRedis(["--tls-port", `${tlsPort}`, ...certificates.args, ...(await leastRights())]);
  const [ca, cert, key] = await Promise.all(
    [certificates.caFile, certificates.certFile, certificates.keyFile].map((file) => readFile(file, "utf8")),
  );
  access = { ca, cert, key };
  url = `rediss://bulkhead:secret@127.0.0.1:${tlsPort}`;
});
afterEach(() => {
  for (const redis of clients.splice(0)) redis.disconnect();
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

function connect(given: RedisAccess, errors: Error[] = [], to = url): Redis {
  const redis = connectRedis(to, { onError: (error) => void errors.push(error), access: given });
  clients.push(redis);
  return redis;
}

test("By TLS with an own authority, a client certificate and the least rights, the audit log does all that it does", async () => {
  const redis = connect(access);
  expect(await untilReady(redis, 10_000)).toBe(true);
  const log = createAuditLog(redis, { onEntry: () => undefined });
  for (const number of [1, 2, 3]) await log.append(anEntry(number));
  await log.tellMissed();
  await log.witness({ at: anEntry(1).at, replica: "r" });
  expect(await log.find("q-2:intent")).toMatchObject({ seq: 2 });
  expect(await log.read({ limit: 1 })).toMatchObject([{ seq: 3 }]);
  const entries: unknown[] = [];
  for await (const entry of log.all()) entries.push(entry);
  const copies = {
    entries,
    base: (await log.bounds()).base,
    unchained: [],
    lost: [],
    otherLines: 0,
    cutLine: undefined,
  };
  const by = { stamp: { at: anEntry(4).at, replica: "r" }, actor: { kind: "in-pod" } } as const;
  expect(await log.confirm(copies, by)).toMatchObject({ kind: "confirmed" });
  expect(await log.trim({ olderThanMs: Number.POSITIVE_INFINITY, keeps: () => false })).toBe(3);
  expect((await log.health()).bytes).toBeGreaterThan(0);
  const bounds = await log.bounds();
  expect(await verifyChain(log.all(), bounds.head, bounds)).toMatchObject({ ok: true, entries: 1 });
});

test("By TLS through a Sentinel with a password of its own, also after it failed over", async () => {
  const sentinels = await startSentinels({ certificates, sentinelPassword: "watch" });
  try {
    const redis = connect({ ...access, sentinelPassword: "watch" }, [], sentinels.url);
    expect(await untilReady(redis, 20_000)).toBe(true);
    await redis.set("here", "1");
    await sentinels.master.kill();
    await waitFor(() => redis.set("here", "2").catch(() => undefined), { timeoutMs: 30_000, everyMs: 100 });
    const [errors, stranger] = [[] as Error[], sentinels.url];
    connect({ ...access, sentinelPassword: "guess" }, errors, stranger);
    await expect.poll(() => errors.map(String).join("\n"), { timeout: 10_000 }).toMatch(/WRONGPASS|NOAUTH/);
  } finally {
    await sentinels.stop();
  }
}, 60_000);

test("A command beyond the rights is refused by name", async () => {
  const redis = connect(access);
  await untilReady(redis, 10_000);
  await expect(redis.flushall()).rejects.toThrow(/NOPERM/);
  await expect(redis.get("somebody-else")).rejects.toThrow(/NOPERM/);
});

test.each([
  ["without the authority", () => ({ ...access, ca: undefined }), /self-signed certificate|unable to (get|verify)/],
  ["without a client certificate", () => ({ ca: access.ca }), /certificate required|Connection is closed|ECONNRESET/],
  ["with a wrong password", () => access, /WRONGPASS/],
])("%s nobody gets in, and the reason is told", async (how, given, reason) => {
  const errors: Error[] = [];
  const redis = connect(given(), errors, how.includes("password") ? url.replace("secret", "guess") : url);
  await expect.poll(() => errors.map(String).join("\n"), { timeout: 10_000 }).toMatch(reason);
  expect(redis.status).not.toBe("ready");
});
