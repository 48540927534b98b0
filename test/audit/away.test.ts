import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChainedEntry } from "../../src/audit/entry.ts";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { anEntry } from "./entries.ts";

let server: OwnRedis;
let redis: Redis;
let log: ChainStore;
let printed: ChainedEntry[] = [];

beforeEach(async () => {
  printed = [];
  server = await startOwnRedis();
  redis = connectRedis(server.url, { onError: () => undefined });
  expect(await untilReady(redis, 5_000)).toBe(true);
  log = createAuditLog(redis, { onEntry: (entry) => void printed.push(entry) });
});

afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

/** How long it takes until the promise rejects. */
async function rejectsAfter(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await expect(promise).rejects.toThrow();
  return performance.now() - start;
}

const ids = (entries: readonly ChainedEntry[]): readonly string[] => entries.map(({ id }) => id).sort();

describe("While Redis is away", () => {
  test("An append is refused within 2 s when the server is dead, and goes on when it is back", async () => {
    await log.append(anEntry(1));
    await server.kill();
    expect(await rejectsAfter(log.append(anEntry(2)))).toBeLessThan(2_000);
    expect(await rejectsAfter(log.head())).toBeLessThan(2_000);
    await server.restart();
    expect(await untilReady(redis, 5_000)).toBe(true);
    expect(await log.append(anEntry(3))).toMatchObject({ entry: { seq: 2 } });
    expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: 2 });
  });

  test("An append is refused within 2 s when the server hangs, also behind 100 others", async () => {
    await log.append(anEntry(0));
    server.freeze();
    const appends = Array.from({ length: 100 }, (_, number) => log.append(anEntry(number + 1)));
    const all = Promise.allSettled(appends);
    expect(await rejectsAfter(appends[99]!)).toBeLessThan(2_000);
    expect(new Set((await all).map(({ status }) => status))).toEqual(new Set(["rejected"]));
    server.resume();
  });

  test("A connection that went silent is replaced, and the client is of use again", async () => {
    await log.append(anEntry(1));
    server.freeze();
    await rejectsAfter(log.append(anEntry(2)));
    await waitFor(() => redis.status !== "ready");
    server.resume();
    await waitFor(() => log.append(anEntry(3)).catch(() => undefined), { timeoutMs: 10_000 });
    expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true });
  });

  test("An append whose reply was lost stands in the chain once, and on standard output", async () => {
    await log.append(anEntry(1));
    server.freeze();
    await rejectsAfter(log.append(anEntry(2)));
    server.resume();
    await waitFor(() => log.append(anEntry(3)).catch(() => undefined), { timeoutMs: 10_000 });
    expect(await log.find("q-2:intent")).toMatchObject({ seq: 2 });
    expect(await log.append(anEntry(2))).toMatchObject({ entry: { seq: 2 } });
    expect(await log.tellMissed()).toBe(1);
    expect(ids(printed)).toEqual(["q-1:intent", "q-2:intent", "q-3:intent"]);
    expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: 3 });
  });
});

test("What was appended survives a crash of Redis", async () => {
  for (let number = 1; number <= 50; number += 1) await log.append(anEntry(number));
  const head = await log.head();
  await server.kill();
  await server.restart();
  expect(await untilReady(redis, 5_000)).toBe(true);
  expect(await log.head()).toEqual(head);
  expect(await verifyChain(log.all(), head)).toMatchObject({ ok: true, entries: 50 });
});
