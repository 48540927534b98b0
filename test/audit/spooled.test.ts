import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChainedEntry } from "../../src/audit/entry.ts";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { createSpool } from "../../src/audit/spool.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { anEntry } from "./entries.ts";

let server: OwnRedis;
let folder = "";
let printed: string[] = [];
const clients: Redis[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-spooled-"));
  printed = [];
  server = await startOwnRedis();
});

afterEach(async () => {
  for (const redis of clients.splice(0)) redis.disconnect();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** One replica's log, with its spool in a folder of that name. */
async function replica(name = "one", { maxBytes = 1_000_000, ready = true } = {}): Promise<ChainStore> {
  const redis = connectRedis(server.url, { onError: () => undefined });
  clients.push(redis);
  if (ready) expect(await untilReady(redis, 5_000)).toBe(true);
  const onProblem = (problem: string) => void printed.push(problem);
  return createAuditLog(redis, {
    onEntry: ({ seq, id }) => void printed.push(`#${seq} ${id}`),
    spooling: {
      spool: createSpool(join(folder, name), { maxBytes, now: Date.now, onProblem }),
      onUnchained: ({ id }, standing) => void printed.push(`${standing} ${id}`),
    },
  });
}

async function back(): Promise<void> {
  await server.restart();
  for (const redis of clients) expect(await untilReady(redis, 5_000)).toBe(true);
}

const spool = { spool: true };
const order = async (log: ChainStore): Promise<readonly string[]> => (await log.read({})).map(({ id }) => id);

async function intact(log: ChainStore, entries: number): Promise<void> {
  expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries });
}

describe("While Redis is away", () => {
  test("what may be spooled is, with its own id; what may not is refused as before", async () => {
    const log = await replica();
    await log.append(anEntry(1), spool);
    await server.kill();
    expect(await log.append(anEntry(2), spool)).toEqual({ kind: "spooled", id: "q-2:intent" });
    await expect(log.append(anEntry(3))).rejects.toThrow();
    expect(printed).toEqual(["#1 q-1:intent", "spooled q-2:intent"]);
  });

  test("it is spooled within 3 s where Redis hangs, and at once after that", async () => {
    const log = await replica();
    server.freeze();
    const start = performance.now();
    expect(await log.append(anEntry(1), spool)).toMatchObject({ kind: "spooled" });
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(await Promise.all([2, 3].map((number) => log.append(anEntry(number), spool)))).toMatchObject([
      { kind: "spooled" },
      { kind: "spooled" },
    ]);
    server.resume();
  });

  test("with a full spool the entry is told, nothing is stopped, and it is chained as long as the process lives", async () => {
    const log = await replica("one", { maxBytes: 700 });
    await server.kill();
    expect(await log.append(anEntry(1), spool)).toMatchObject({ kind: "spooled" });
    expect(await log.append(anEntry(2), spool)).toEqual({ kind: "told-only", id: "q-2:intent" });
    expect(printed).toEqual(["spooled q-1:intent", "told-only q-2:intent"]);
    await back();
    await log.replaySpool();
    expect(await order(log)).toEqual(["q-1:intent", "q-2:intent"]);
  });

  test("an entry without a JSON form is refused, not spooled", async () => {
    const log = await replica();
    await server.kill();
    await expect(log.append(anEntry(1, { detail: { count: Number.NaN } }), spool)).rejects.toThrow();
    expect(printed).toEqual([]);
  });
});

describe("When Redis is back", () => {
  test("the spool is brought into the chain in its order, and each entry is told as chained", async () => {
    const log = await replica();
    await log.append(anEntry(1));
    await server.kill();
    for (const number of [2, 3, 4]) await log.append(anEntry(number), spool);
    await expect(log.replaySpool()).rejects.toThrow();
    await back();
    expect(await log.replaySpool()).toBe(3);
    expect(await log.replaySpool()).toBe(0);
    expect(printed.slice(4)).toEqual(["#2 q-2:intent", "#3 q-3:intent", "#4 q-4:intent"]);
    await intact(log, 4);
  });

  test("an append comes behind what was spooled before it, also one that may not be spooled", async () => {
    const log = await replica();
    await server.kill();
    await log.append(anEntry(1), spool);
    await back();
    expect(await log.append(anEntry(2))).toMatchObject({ kind: "chained", entry: { seq: 2 } });
    expect(await order(log)).toEqual(["q-1:intent", "q-2:intent"]);
  });

  test("a spool too long to wait for is left to the sweep; an append is spooled behind it", async () => {
    const log = await replica();
    await server.kill();
    const detail = { filler: "x".repeat(300_000) };
    await log.append(anEntry(1, { detail }), spool);
    await back();
    expect(await log.append(anEntry(2), spool)).toMatchObject({ kind: "spooled" });
    expect(await log.append(anEntry(3))).toMatchObject({ kind: "chained", entry: { seq: 1 } });
    await log.replaySpool();
    expect(await order(log)).toEqual(["q-3:intent", "q-1:intent", "q-2:intent"]);
  });

  test("an entry whose append looked failed, and which was spooled, stands in the chain once", async () => {
    const log = await replica();
    await log.append(anEntry(0));
    server.freeze();
    const spooled = log.append(anEntry(1), spool);
    expect(await spooled).toMatchObject({ kind: "spooled" });
    server.resume();
    for (const redis of clients) expect(await untilReady(redis, 5_000)).toBe(true);
    await log.replaySpool();
    await log.tellMissed();
    await intact(log, 2);
    expect(printed.toSorted()).toEqual(["#1 q-0:intent", "#2 q-1:intent", "spooled q-1:intent"]);
  });

  test("what a process spooled that died is chained by the next one; a replay that died midway is finished", async () => {
    const log = await replica();
    await server.kill();
    for (const number of [1, 2, 3, 4]) await log.append(anEntry(number), spool);
    await back();
    // As a replay that was killed after two entries: they are in the chain, and the file is still there.
    const other = await replica("other");
    for (const number of [1, 2]) await other.append(anEntry(number));
    const next = await replica("one");
    expect(await next.replaySpool()).toBe(4);
    expect(await order(next)).toEqual([1, 2, 3, 4].map((number) => `q-${number}:intent`));
    await intact(next, 4);
  });

  test("Redis going away again in the middle of the replay loses nothing", async () => {
    const log = await replica();
    await server.kill();
    for (let number = 1; number <= 300; number += 1) await log.append(anEntry(number), spool);
    await back();
    const replay = log.replaySpool().catch((error: unknown) => error);
    await server.kill();
    await replay;
    await back();
    await log.replaySpool();
    await intact(log, 300);
    expect(new Set(await order(log)).size).toBe(300);
  });

  test("two replicas with one folder and one chain replay at once: every entry once", async () => {
    const [one, other] = [await replica("shared"), await replica("shared")];
    await server.kill();
    for (let number = 1; number <= 40; number += 1) await (number % 2 ? one : other).append(anEntry(number), spool);
    await back();
    await Promise.all([one.replaySpool(), other.replaySpool()]);
    await intact(one, 40);
    const chained = (await one.read({})).map(({ id }: ChainedEntry) => id);
    expect(chained.filter((id) => Number(/\d+/.exec(id)) % 2 === 1)).toEqual(
      Array.from({ length: 20 }, (_, index) => `q-${2 * index + 1}:intent`),
    );
  });
});

test("Without a spool an append that might be spooled throws where Redis is away", async () => {
  const redis = connectRedis(server.url, { onError: () => undefined });
  clients.push(redis);
  await untilReady(redis, 5_000);
  await server.kill();
  await expect(createAuditLog(redis, { onEntry: () => undefined }).append(anEntry(1), spool)).rejects.toThrow();
});
