import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { createRedisLedger } from "../../src/flows/redis-ledger.ts";
import { aKey, aTally, describeLedger } from "../contract/flow-ledger.ts";
import { connectTestRedis } from "../redis.ts";

const redis = await connectTestRedis();
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

const hourMs = 3_600_000;
const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
const keepMs = 48 * hourMs;
/** Redis forgets by its own clock. */
const nowMs = Math.floor(Date.now() / quarterMs) * quarterMs + 2 * minuteMs;

const open = () => createRedisLedger(redis, { keepMs });

describeLedger("Redis", async () => open(), nowMs);

const hour = { cluster: "kind", fromMs: nowMs - hourMs, toMs: nowMs + minuteMs };

describe("The ledger in Redis", () => {
  test("gives every replica the same answer, of what all counted", async () => {
    const replicas = [open(), open(), open()];
    for (const [index, replica] of replicas.entries())
      for (let second = 0; second < 5; second += 1)
        await replica.write({ id: `${second}`, tallies: [aTally(nowMs, { count: index + 1 })], losses: [] });
    const views = await Promise.all([...replicas, open()].map((replica) => replica.read(hour)));
    expect(views[0]?.series[0]?.count).toBe(30);
    for (const view of views) expect(view).toEqual(views[0]);
  });

  test("adds to what it wrote of a minute long ago", async () => {
    const ledger = open();
    const minutes = Array.from({ length: 60 }, (_, minute) => nowMs - minute * minuteMs);
    for (const id of ["a", "b"])
      for (const atMs of minutes) await ledger.write({ id: `${id} ${atMs}`, tallies: [aTally(atMs)], losses: [] });
    const { series } = await ledger.read({ ...hour, fromMs: nowMs - hourMs });
    expect(series[0]?.steps).toEqual([0, ...minutes.map(() => 2)]);
  });

  test("keeps quarters of an hour when minutes are gone, the same whoever put them together", async () => {
    const [first, second] = [open(), open()];
    const tallies = Array.from({ length: 15 }, (_, minute) => aTally(nowMs - (minute + 3) * minuteMs));
    await first.write({ id: "a", tallies, losses: [] });
    await second.write({ id: "a", tallies: tallies.map((one) => ({ ...one, count: 2 })), losses: [] });
    await first.tend(nowMs);
    const [key = ""] = await redis.keys("{bulkhead}:flows:quarter:*");
    const packed = await redis.getBuffer(key);
    await second.tend(nowMs);
    expect(await redis.getBuffer(key)).toEqual(packed);
    const before = await first.read(hour);
    const minutes = await redis.keys("{bulkhead}:flows:minute:*");
    await redis.del(...minutes);
    const after = await second.read(hour);
    expect(after.stepMs).toBe(quarterMs);
    expect(after.series).toEqual(before.series.map((one) => ({ ...one, steps: [0, 0, 45, 0, 0] })));
    expect(after.series[0]?.steps.reduce((sum, count) => sum + count, 0)).toBe(45);
  });

  test("lets everything go in time, and lists no quarter that is gone", async () => {
    const ledger = open();
    await ledger.write({ id: "a", tallies: [aTally(nowMs)], losses: [] });
    await ledger.tend(nowMs + 20 * minuteMs);
    const keys = await redis.keys("{bulkhead}:flows:*");
    const lasting = ["{bulkhead}:flows:first", "{bulkhead}:flows:heard", "{bulkhead}:flows:quarters:kind"];
    for (const key of keys) if (!lasting.includes(key)) expect(await redis.pttl(key)).toBeLessThan(keepMs + hourMs);
    expect(keys).toEqual(expect.arrayContaining(lasting));
    await ledger.tend(nowMs + keepMs + hourMs);
    expect(await redis.exists("{bulkhead}:flows:quarters:kind")).toBe(0);
  });

  test("leaves out what a newer release wrote, and what is no bucket at all", async () => {
    const ledger = open();
    await ledger.write({ id: "a", tallies: [aTally(nowMs)], losses: [] });
    const [key = ""] = await redis.keys("{bulkhead}:flows:minute:*");
    await redis.hset(key, "newer", "no bucket");
    expect((await ledger.read(hour)).series.map(({ count }) => count)).toEqual([1]);
  });

  test("throws where Redis refuses, and writes what it refused when it no longer does", async () => {
    const ledger = open();
    const batch = { id: "a", tallies: [aTally(nowMs, { key: aKey({ port: 1 }) })], losses: [] };
    await redis.set("{bulkhead}:flows:first", "no hash");
    await expect(ledger.write(batch)).rejects.toThrow("WRONGTYPE");
    await redis.del("{bulkhead}:flows:first");
    await ledger.write(batch);
    expect((await ledger.read(hour)).series.map(({ count }) => count)).toEqual([1]);
  });
});
