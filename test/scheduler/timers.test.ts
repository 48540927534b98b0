import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { type Claimed, createTimers } from "../../src/scheduler/timers.ts";
import { connectTestRedis, testRedisUrl } from "../redis.ts";
import { timerCommands } from "./timer-model.ts";

const redis = await connectTestRedis();
const second = connectRedis(testRedisUrl(), { onError: () => undefined });
await untilReady(second, 5_000);
afterAll(() => [redis, second].forEach((client) => client.disconnect()));

const timers = createTimers(redis);
/** The same store, as another replica sees it. */
const elsewhere = createTimers(second);
const hourMs = 3_600_000;

beforeEach(() => redis.flushdb());

const aTimer = (id: string) => ({ id, payload: `{"of":"${id}"}` });

async function claimed(id: string): Promise<Claimed> {
  await timers.set(aTimer(id), 0);
  const [one] = await timers.claim(1);
  if (one === undefined) throw new Error("nothing is due");
  return one;
}

/** As if nobody had renewed its claim for long. */
const lapse = (id: string) => redis.zadd("{bulkhead}:timers", "0", id);

async function redisNow(): Promise<number> {
  const [seconds = 0, microseconds = 0] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}

describe("A timer", () => {
  test("is not claimed before it is due, and then with its payload, by Redis' clock", async () => {
    await timers.set(aTimer("later"), hourMs);
    await timers.set(aTimer("now"), 0);
    const before = await redisNow();
    const all = await timers.claim(10);
    expect(all).toMatchObject([{ ...aTimer("now"), attempt: 1 }]);
    expect(Math.abs(all[0]!.dueAt - before)).toBeLessThan(1_000);
    expect(all[0]!.lateMs).toBeGreaterThanOrEqual(0);
    expect(await timers.nextInMs()).toBeLessThan(5_000);
    expect(await timers.done(all[0]!)).toBe(true);
    expect(await timers.nextInMs()).toBeGreaterThan(hourMs - 5_000);
    expect(await timers.count()).toBe(1);
  });

  test("of thirty days or of a thousand years is not due at once", async () => {
    await timers.set(aTimer("thirty days"), 30 * 24 * hourMs);
    await timers.set(aTimer("a thousand years"), 1_000 * 365 * 24 * hourMs);
    expect(await timers.claim(10)).toEqual([]);
    expect(await timers.nextInMs()).toBeGreaterThan(29 * 24 * hourMs);
  });

  test("that is set once more is there once, moved, with the payload of the last time", async () => {
    await timers.set(aTimer("one"), 0);
    await timers.set({ id: "one", payload: "new" }, hourMs);
    expect(await timers.claim(10)).toEqual([]);
    await timers.set({ id: "one", payload: "newest" }, -5_000);
    const [one, ...more] = await timers.claim(10);
    expect(one).toMatchObject({ id: "one", payload: "newest" });
    expect(one!.lateMs).toBeGreaterThanOrEqual(5_000);
    expect(more).toEqual([]);
  });

  test("that cannot be due is refused", async () => {
    await expect(timers.set(aTimer("never"), Number.NaN)).rejects.toThrow("cannot be due");
    await expect(timers.set(aTimer("never"), Number.POSITIVE_INFINITY)).rejects.toThrow("cannot be due");
    expect(await timers.count()).toBe(0);
  });

  test("keeps an id and a payload of any characters", async () => {
    const odd = { id: 'prod shop/a "b" \u0000 é 😀', payload: "\n{}%d %s\u0000" };
    await timers.set(odd, 0);
    const [one] = await timers.claim(1);
    expect(one).toMatchObject(odd);
    expect(await timers.done(one!)).toBe(true);
  });

  test("that is removed is not claimed, and a claim of it can do nothing more", async () => {
    const one = await claimed("one");
    await elsewhere.remove("one");
    expect(await timers.renew(one)).toBe(false);
    expect(await timers.retry(one, 0)).toBe(false);
    expect(await timers.claim(10)).toEqual([]);
    expect(await timers.count()).toBe(0);
    expect(await redis.keys("*")).toEqual(["{bulkhead}:timers:generation"]);
  });

  test("whose payload was lost is dropped, and hides no other", async () => {
    await timers.set(aTimer("lost"), -2_000);
    await timers.set(aTimer("kept"), -1_000);
    await redis.hdel("{bulkhead}:timers:payload", "lost");
    expect(await timers.claim(10)).toMatchObject([{ id: "kept" }]);
    expect(await timers.count()).toBe(1);
  });
});

describe("A claim", () => {
  test("goes to one of many, the most overdue first, at most as many as were asked for", async () => {
    for (const [index, id] of ["c", "b", "a"].entries()) await timers.set(aTimer(id), -1_000 * (index + 1));
    const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? timers : elsewhere).claim(1)));
    expect(claims.flat().map(({ id }) => id)).toEqual(expect.arrayContaining(["a", "b", "c"]));
    expect(claims.flat()).toHaveLength(3);
    for (const one of claims.flat()) await timers.retry(one, -1_000 * (one.id.charCodeAt(0) - 90));
    expect((await timers.claim(2)).map(({ id }) => id)).toEqual(["c", "b"]);
  });

  test("that lapsed goes to another, due since when it was, and its former holder can do nothing with it", async () => {
    const one = await claimed("one");
    expect(await elsewhere.claim(10)).toEqual([]);
    expect(await timers.renew(one)).toBe(true);
    await lapse("one");
    const [taken] = await elsewhere.claim(10);
    expect(taken).toMatchObject({ id: "one", dueAt: one.dueAt, attempt: 2 });
    expect(taken!.generation).toBeGreaterThan(one.generation);
    expect(await timers.renew(one)).toBe(false);
    expect(await timers.retry(one, hourMs)).toBe(false);
    expect(await timers.again(one, hourMs)).toBe(false);
    expect(await timers.done(one)).toBe(false);
    expect(await elsewhere.done(taken!)).toBe(true);
    expect(await elsewhere.done(taken!)).toBe(false);
    expect(await timers.count()).toBe(0);
  });

  test("that lapsed is its holder's as long as nobody else wants it", async () => {
    const one = await claimed("one");
    await lapse("one");
    expect(await timers.renew(one)).toBe(true);
    expect(await elsewhere.claim(10)).toEqual([]);
    expect(await timers.done(one)).toBe(true);
  });

  test("ends when the timer is set anew: what was set is not removed by it", async () => {
    const one = await claimed("one");
    await elsewhere.set({ id: "one", payload: "extended" }, hourMs);
    expect(await timers.renew(one)).toBe(false);
    expect(await timers.done(one)).toBe(false);
    expect(await timers.claim(10)).toEqual([]);
    expect(await timers.nextInMs()).toBeGreaterThan(hourMs - 5_000);
  });

  test("that is tried again comes when it was said, and has been due since before", async () => {
    const one = await claimed("one");
    expect(await timers.retry(one, hourMs)).toBe(true);
    expect(await timers.claim(10)).toEqual([]);
    expect(await timers.retry(one, 0)).toBe(false);
    expect(await timers.done(one)).toBe(false);
    await lapse("one");
    expect(await timers.claim(10)).toMatchObject([{ id: "one", dueAt: one.dueAt, attempt: 2 }]);
  });

  test("that is due again later begins anew", async () => {
    await timers.set(aTimer("one"), -60_000);
    const [one] = await timers.claim(1);
    expect(await timers.again(one!, 0)).toBe(true);
    expect(await timers.renew(one!)).toBe(false);
    const [next] = await timers.claim(1);
    expect(next).toMatchObject({ id: "one", attempt: 1 });
    expect(next!.lateMs).toBeLessThan(30_000);
  });

  test("ends by itself, however many end at the same moment", async () => {
    for (let i = 0; i < 20; i += 1) await timers.set(aTimer(`t-${i}`), 0);
    const all = await timers.claim(20);
    const lost = all.filter((_, index) => index % 3 === 0);
    for (const { id } of lost) await timers.set({ id, payload: "anew" }, hourMs);
    expect(await Promise.all(all.map((one) => timers.done(one)))).toEqual(all.map((one) => !lost.includes(one)));
    expect(await timers.count()).toBe(lost.length);
  });

  test("gets a generation that did not exist before Redis was emptied", async () => {
    const one = await claimed("one");
    await redis.flushdb();
    const anew = await claimed("one");
    expect(anew.generation).toBeGreaterThan(one.generation);
    expect(await timers.done(one)).toBe(false);
  });
});

describe("The queue", () => {
  test("is filled with what is missing, and what is there stays as it is", async () => {
    const one = await claimed("claimed");
    await timers.set(aTimer("later"), hourMs);
    await timers.set(aTimer("without payload"), hourMs);
    await redis.hdel("{bulkhead}:timers:payload", "without payload");
    const wanted = ["claimed", "later", "without payload", "missing"].map((id) => ({ timer: aTimer(id), inMs: -1 }));
    expect(await timers.ensure(wanted)).toBe(2);
    expect(await timers.ensure(wanted)).toBe(0);
    expect((await timers.claim(10)).map(({ id }) => id).toSorted()).toEqual(["missing", "without payload"]);
    expect(await timers.done(one)).toBe(true);
    expect(await timers.ensure([])).toBe(0);
  });

  test("is filled with ten thousand at once", async () => {
    const wanted = Array.from({ length: 10_000 }, (_, i) => ({ timer: aTimer(`prod shop/rule-${i}`), inMs: hourMs }));
    const began = performance.now();
    expect(await timers.ensure(wanted)).toBe(10_000);
    // A tenth of a second on a quiet machine, which this one need not be.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await timers.count()).toBe(10_000);
  });

  test("knows the one that waits longest, claimed, retried or neither", async () => {
    expect(await timers.oldestOverdueMs()).toBe(0);
    await timers.set(aTimer("later"), hourMs);
    expect(await timers.oldestOverdueMs()).toBe(0);
    await timers.set(aTimer("old"), -60_000);
    await timers.set(aTimer("older"), -90_000);
    expect(await timers.oldestOverdueMs()).toBeGreaterThanOrEqual(90_000);
    const [older, old] = await timers.claim(2);
    await timers.retry(older!, hourMs);
    expect(await timers.oldestOverdueMs()).toBeGreaterThanOrEqual(90_000);
    await timers.remove("older");
    expect(await timers.oldestOverdueMs()).toBeLessThan(90_000);
    expect(await timers.oldestOverdueMs()).toBeGreaterThanOrEqual(60_000);
    await timers.done(old!);
    expect(await timers.oldestOverdueMs()).toBe(0);
  });

  test("is empty where there is nothing", async () => {
    expect(await timers.nextInMs()).toBeUndefined();
    expect(await timers.claim(10)).toEqual([]);
    expect(await timers.count()).toBe(0);
  });

  test("does what a plain model of it does, in whatever order it is used", async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(timerCommands, { maxCommands: 60, size: "max" }), async (commands) => {
        await redis.flushdb();
        const setup = () => ({ model: { timers: new Map(), claims: [] }, real: { timers, elsewhere, redis } });
        await fc.asyncModelRun(setup, commands);
      }),
      { numRuns: 15 },
    );
  });
});
