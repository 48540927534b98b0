import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createObservations, type Observations, type Tally } from "../../src/scheduler/observations.ts";
import { connectTestRedis } from "../redis.ts";

let redis: Redis;
let observations: Observations;
const at = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  redis = await connectTestRedis();
  observations = createObservations(redis);
});
beforeEach(() => redis.flushdb());
afterAll(() => redis.disconnect());

function tally(name: string, seen: Partial<Tally> = {}): Tally {
  return { name, count: 1, atLeast: false, firstAt: at, lastAt: at, ...seen };
}

test("what several replicas saw adds up, from the first to the last", async () => {
  await observations.add("q-1", { id: "a", counters: [tally("denied", { count: 3 })], lines: [] });
  const later = tally("denied", { count: 2 ** 40, firstAt: at + 5, lastAt: at + 9, atLeast: true });
  await observations.add("q-1", { id: "b", counters: [later, tally("leak:egress")], lines: [] });
  const { counters } = await observations.read("q-1");
  expect(counters.get("denied")).toEqual({ count: 2 ** 40 + 3, firstAt: at, lastAt: at + 9, atLeast: true });
  expect([...counters.keys()]).toHaveLength(2);
  expect((await observations.read("q-2")).counters.size).toBe(0);
});

test("the same portion counts once, however often it is written", async () => {
  const portion = { id: "a", counters: [tally("denied")], lines: [{ ...tally("x"), kept: 10 }] };
  await Promise.all([1, 2, 3].map(() => observations.add("q-1", portion)));
  const { counters, lines } = await observations.read("q-1");
  expect(counters.get("denied")?.count).toBe(1);
  expect(lines).toEqual([tally("x")]);
});

test("lines are bounded by number and by bytes; those that were there go on counting", async () => {
  const lines = Array.from({ length: 30 }, (_, index) => ({
    ...tally(`line ${index}`, { firstAt: at + index }),
    kept: 10,
  }));
  await observations.add("q-1", { id: "a", counters: [], lines });
  await observations.add("q-1", {
    id: "b",
    counters: [],
    lines: [...lines.slice(0, 1), { ...tally("leak"), kept: 11 }],
  });
  const found = await observations.read("q-1");
  expect(found.lines).toHaveLength(11);
  expect(found.lines[0]).toMatchObject({ name: "leak" });
  expect(found.lines[1]).toMatchObject({ name: "line 0", count: 2 });
  expect(found.more).toBe(20);
  const long = Array.from({ length: 100 }, (_, index) => ({ ...tally(`${index} ${"x".repeat(1_000)}`), kept: 200 }));
  await observations.add("q-2", { id: "c", counters: [], lines: long });
  expect((await observations.read("q-2")).lines.length).toBeLessThanOrEqual(65);
});

test("ends some time after it was last added to", async () => {
  await createObservations(redis, { keepMs: 60_000 }).add("q-1", { id: "a", counters: [tally("denied")], lines: [] });
  const ttls = await Promise.all((await redis.keys("*")).map((key) => redis.pttl(key)));
  expect(ttls.every((ttl) => ttl > 0 && ttl <= 3_600_000)).toBe(true);
});
