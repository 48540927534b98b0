import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readCopies } from "../../src/audit/copies.ts";
import { healthWarnings } from "../../src/audit/health.ts";
import { type AuditLogOptions, type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { createSpool } from "../../src/audit/spool.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { anEntry } from "./entries.ts";

let server: OwnRedis;
let redis: Redis;
let folder = "";

beforeEach(async () => {
  server = await startOwnRedis();
  redis = connectRedis(server.url, { onError: () => undefined });
  expect(await untilReady(redis, 5_000)).toBe(true);
  folder = await mkdtemp(join(tmpdir(), "bulkhead-full-"));
});

afterEach(async () => {
  redis.disconnect();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function aLog(options: Partial<AuditLogOptions> = {}): ChainStore {
  const spool = createSpool(join(folder, "spool"), { maxBytes: 1e6, now: Date.now, onProblem: () => undefined });
  return createAuditLog(redis, {
    onEntry: () => undefined,
    spooling: { spool, onUnchained: () => undefined },
    ...options,
  });
}

const fill = () => redis.config("SET", "maxmemory", "1");
const makeRoom = () => redis.config("SET", "maxmemory", "0");

test("A full Redis refuses an append clearly; the spool takes what may be spooled; reading goes on", async () => {
  const log = aLog();
  await log.append(anEntry(1));
  await fill();
  await expect(log.append(anEntry(2))).rejects.toThrow(/OOM/);
  expect(await log.append(anEntry(3), { spool: true })).toMatchObject({ kind: "spooled" });
  expect(await log.head()).toMatchObject({ seq: 1 });
  expect(await log.find("q-1:intent")).toMatchObject({ seq: 1 });
  await expect(log.replaySpool()).rejects.toThrow(/OOM/);
  await makeRoom();
  expect(await log.replaySpool()).toBe(1);
  expect(await log.head()).toMatchObject({ seq: 2 });
});

test("Confirmed entries leave a full Redis, which is what makes room", async () => {
  const log = aLog();
  for (let number = 1; number <= 30; number += 1) await log.append(anEntry(number));
  const lines: string[] = [];
  for await (const entry of log.all()) lines.push(`${JSON.stringify(entry)}\n`);
  const by = { stamp: { at: anEntry(31).at, replica: "r" }, actor: { kind: "in-pod" } } as const;
  expect(await log.confirm(await readCopies(lines), by)).toMatchObject({ kind: "confirmed" });
  await fill();
  expect(await log.trim({ olderThanMs: Number.POSITIVE_INFINITY, keeps: () => false })).toBe(30);
  await makeRoom();
  const bounds = await log.bounds();
  expect(await verifyChain(log.all(), bounds.head, bounds)).toMatchObject({ ok: true, entries: 1 });
});

test("A loss that cannot be recorded lets nothing be appended, and is not forgotten", async () => {
  const log = aLog();
  await log.append(anEntry(1));
  await redis.flushdb();
  await fill();
  await expect(log.append(anEntry(2))).rejects.toThrow(/OOM/);
  await makeRoom();
  await log.append(anEntry(3));
  expect((await log.read({})).map(({ id }) => id)).toEqual([expect.stringMatching(/^chain:lost:1:/), "q-3:intent"]);
});

test("Health tells entries, bytes, the server's limit and what waits in the spool, and warns in words", async () => {
  const log = aLog({ limits: { warnAtShare: 0.5, budgetBytes: 1_000 } });
  for (let number = 1; number <= 10; number += 1) await log.append(anEntry(number));
  const calm = await log.health();
  expect(calm).toMatchObject({ entries: 10, maxBytes: undefined, confirmedSeq: 0, spooledBytes: 0 });
  expect(calm.bytes).toBeGreaterThan(5_000);
  expect(calm.warnings).toEqual([expect.stringMatching(/^the audit chain takes \d+ % of its budget .*audit export/)]);
  await redis.config("SET", "maxmemory", `${Math.round((calm.usedBytes ?? 0) * 1.2)}`);
  expect((await log.health()).warnings[0]).toMatch(/^Redis uses \d\d % of its maxmemory .*audit export/);
  await fill();
  await log.append(anEntry(11), { spool: true });
  const { warnings, spooledBytes } = await log.health();
  expect(spooledBytes).toBeGreaterThan(400);
  expect(warnings.at(-1)).toBe(`${spooledBytes} bytes of audit entries wait in this replica's spool`);
});

test("It warns from the share on that is set, not below", () => {
  const at = (usedBytes: number) =>
    healthWarnings(
      { entries: 1, bytes: 1, usedBytes, maxBytes: 100, confirmedSeq: 0, spooledBytes: 0, lossSeq: undefined },
      { warnAtShare: 0.7 },
    );
  expect(at(69)).toEqual([]);
  expect(at(70)).toHaveLength(1);
});
