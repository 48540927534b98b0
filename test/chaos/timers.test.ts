import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { claimScript, doneScript } from "../../src/scheduler/timer-scripts.ts";
import { startTimerWorker } from "../../src/scheduler/timer-worker.ts";
import { type Claimed, createTimers, type Timers } from "../../src/scheduler/timers.ts";
import { figuresOf } from "../bench/figures.ts";
import { type OwnRedis, startOwnRedis, startSentinels } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type RedisProxy, startRedisProxy } from "./redis-proxy.ts";
import { startTimerArena, type TimerArena, type WorkerProcess } from "./timer-arena.ts";

/** What befell the timers, and what came of it: printed in the end. */
const rows: string[] = [];
const row = (fault: string, figure: string): void => void rows.push(`  ${fault.padEnd(76)} ${figure}\n`);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
const secondsOf = (all: readonly number[]): string => all.map(seconds).join(", ");

afterAll(() => {
  const lines = rows.toSorted((a, b) => a.localeCompare(b, "en"));
  process.stdout.write(`What befell the timers, and what came of it\n${lines.join("")}`);
});

/** A frozen or killed worker's timer is another's within this. */
const takeoverMs = 5_000;

async function inArena(work: (arena: TimerArena) => Promise<void>): Promise<void> {
  const arena = await startTimerArena();
  try {
    await work(arena);
  } finally {
    await arena.close();
  }
}

/** A worker in this process, on a connection of the bot's kind, and what it carried out. */
async function localWorker(url: string) {
  const redis = connectRedis(url, { onError: () => undefined });
  await untilReady(redis, 5_000);
  const timers = createTimers(redis);
  const seen: (Claimed & { readonly at: number })[] = [];
  const troubles: unknown[] = [];
  const handle = async (claimed: Claimed): Promise<undefined> => void seen.push({ ...claimed, at: Date.now() });
  const onError = (error: unknown): void => void troubles.push(error);
  const worker = startTimerWorker(timers, handle, { onError, onFailure: (_, error) => onError(error) });
  return {
    redis,
    timers,
    seen,
    troubles,
    first: async (id: string) => {
      const found = await waitFor(() => seen.find((one) => one.id === id), { timeoutMs: 20_000 });
      return found ?? Promise.reject(new Error(id));
    },
    async stop() {
      await worker.stop(0);
      redis.disconnect();
    },
  };
}

type Parts = {
  readonly server: OwnRedis;
  readonly proxy: RedisProxy;
  /** Behind the proxy. */
  readonly local: Awaited<ReturnType<typeof localWorker>>;
  /** Past the proxy. */
  readonly redis: Redis;
  readonly direct: Timers;
};

async function inProcess(work: (parts: Parts) => Promise<void>): Promise<void> {
  const server = await startOwnRedis();
  const proxy = await startRedisProxy(server.port);
  const redis = new Redis(server.url);
  redis.on("error", () => undefined);
  const local = await localWorker(proxy.url);
  try {
    await work({ server, proxy, local, redis, direct: createTimers(redis) });
  } finally {
    await local.stop();
    redis.disconnect();
    await proxy.close();
    await server.stop();
  }
}

describe.concurrent("Timers and", () => {
  test("kill -9 of a worker in the middle, three times, and again on the retry", () =>
    inArena(async (arena) => {
      const workers = new Map<string, WorkerProcess>();
      const names = ["a", "b", "c", "d"];
      for (const name of names) workers.set(name, await arena.start(name, { workMs: 6_000 }));
      await arena.open("one", 0);
      const takeovers: number[] = [];
      for (let nth = 1; nth <= 3; nth += 1) {
        const begun = (await arena.untilTold("begun", nth)).at(-1);
        await delay(300 * nth);
        const killedAt = Date.now();
        await workers.get(begun?.worker ?? "")?.kill();
        const next = (await arena.untilTold("begun", nth + 1)).at(-1);
        takeovers.push((next?.at ?? Number.NaN) - killedAt);
        expect(next?.attempt).toBe(nth + 1);
      }
      for (const ms of takeovers) expect(ms).toBeLessThan(takeoverMs);
      expect(await arena.untilTold("closed", 1)).toHaveLength(1);
      await waitFor(async () => (await arena.timers.count()) === 0);
      expect(await arena.told("was gone")).toEqual([]);
      row("kill -9 of the worker, and twice again on the retries: taken over after", secondsOf(takeovers));
    }));

  test("a worker that is frozen in the middle: another takes over, and the frozen one does nothing when it wakes", () =>
    inArena(async (arena) => {
      const workers = [await arena.start("a", { workMs: 1_000 }), await arena.start("b", { workMs: 1_000 })];
      await arena.open("one", 0);
      const [begun] = await arena.untilTold("begun", 1);
      const frozen = workers.find(({ name }) => name === begun?.worker);
      frozen?.freeze();
      const frozenAt = Date.now();
      const next = (await arena.untilTold("begun", 2)).at(-1);
      expect((next?.at ?? Number.NaN) - frozenAt).toBeLessThan(takeoverMs);
      await arena.untilTold("closed", 1);
      frozen?.resume();
      const [refrained] = await arena.untilTold("refrained", 1);
      expect(refrained?.worker).toBe(frozen?.name);
      expect(await arena.told("closed")).toHaveLength(1);
      expect(await arena.told("was gone")).toEqual([]);
      row("worker frozen (SIGSTOP): taken over after; awake, it did nothing", seconds((next?.at ?? 0) - frozenAt));
    }));

  test("a frozen worker whose timer nobody wanted carries on when it wakes", () =>
    inArena(async (arena) => {
      const worker = await arena.start("alone", { workMs: 500 });
      await arena.open("one", 0);
      await arena.untilTold("begun", 1);
      worker.freeze();
      await delay(5_000);
      worker.resume();
      await arena.untilTold("closed", 1);
      expect(await arena.told("closed")).toHaveLength(1);
    }));

  test.each([300_000, -300_000])("a step of the worker's wall clock by %i ms", (clockStepMs) =>
    inArena(async (arena) => {
      await arena.start("stepped", { clockStepMs });
      const begins = Date.now();
      await arena.open("one", 2_000);
      const [begun] = await arena.untilTold("begun", 1);
      const lateMs = (begun?.at ?? Number.NaN) - begins - 2_000;
      expect(Math.abs(lateMs)).toBeLessThan(takeoverMs);
      row(`wall clock of the worker ${clockStepMs > 0 ? "+" : "-"}5 min: late by`, `${lateMs} ms`);
    }),
  );

  test("six hundred timers in thirty seconds while three workers are killed again and again: each effect once", () =>
    inArena(async (arena) => {
      const dueWithinMs = 30_000;
      const total = 600;
      const due = new Map<string, number>();
      for (let i = 0; i < total; i += 1) {
        const inMs = 1_500 + (i * dueWithinMs) / total;
        due.set(`t-${i}`, Date.now() + inMs);
        await arena.open(`t-${i}`, inMs);
      }
      const slots = ["a", "b", "c"];
      const workers = await Promise.all(slots.map((name) => arena.start(name, { workMs: 50 })));
      const until = Date.now() + dueWithinMs;
      let kills = 0;
      while (Date.now() < until) {
        const slot = kills % slots.length;
        await workers[slot]?.kill();
        kills += 1;
        workers[slot] = await arena.start(`${slots[slot]}-${kills}`, { workMs: 50 });
        await delay(1_000);
      }
      const closed = await arena.untilTold("closed", total, 30_000);
      await waitFor(async () => (await arena.timers.count()) === 0, { timeoutMs: 10_000 });
      expect(closed).toHaveLength(total);
      expect(new Set(closed.map(({ id }) => id)).size).toBe(total);
      expect(await arena.left()).toBe(0);
      const begun = await arena.told("begun");
      const late = figuresOf(closed.map(({ id, at }) => at - (due.get(id) ?? Number.NaN)));
      expect(late.max).toBeLessThan(2 * takeoverMs);
      row(
        `${total} timers in 30 s, ${kills} kill -9 of three workers: effects, begun, late p99 and max`,
        `${closed.length}, ${begun.length}, ${seconds(late.p99)}, ${seconds(late.max)}`,
      );
    }));

  test("a claim that Redis carried out, and whose answer is lost", () =>
    inProcess(async ({ proxy, local, direct }) => {
      let lost = 0;
      proxy.decide(({ text }) => {
        if (lost > 0 || !text.includes(claimScript)) return undefined;
        lost += 1;
        return { before: () => direct.set({ id: "one", payload: "" }, 0), answer: "reset" };
      });
      const one = await local.first("one");
      expect([lost, one.attempt]).toEqual([1, 2]);
      expect(one.at - one.dueAt).toBeLessThan(takeoverMs);
      row("claim carried out, answer lost (reset): late by", seconds(one.at - one.dueAt));
    }));

  test("a done that Redis carried out, and whose answer is lost", () =>
    inProcess(async ({ proxy, local, direct }) => {
      proxy.decide(({ text }) => (text.includes(doneScript) ? { answer: "reset" } : undefined));
      await direct.set({ id: "one", payload: "" }, 0);
      await local.first("one");
      await delay(takeoverMs);
      expect(local.seen).toHaveLength(1);
      expect(await direct.count()).toBe(0);
      row("done carried out, answer lost (reset): carried out", `${local.seen.length} time`);
    }));

  test("a connection that is half open", () =>
    inProcess(async ({ proxy, local, direct }) => {
      await direct.set({ id: "before", payload: "" }, 0);
      await local.first("before");
      proxy.strand();
      await direct.set({ id: "one", payload: "" }, 200);
      const one = await local.first("one");
      expect(one.at - one.dueAt).toBeLessThan(takeoverMs);
      row("half-open TCP at 0.2 s before it is due: late by", seconds(one.at - one.dueAt));
    }));

  test.each([5_000, 45_000])("Redis killed, and away for %i ms over the time when it is due", (awayMs) =>
    inProcess(async ({ server, local, direct }) => {
      await direct.set({ id: "meanwhile", payload: "" }, awayMs / 2);
      await direct.set({ id: "afterwards", payload: "" }, awayMs + 4_000);
      await server.kill();
      await delay(awayMs);
      await server.restart();
      const readyAt = Date.now();
      const [meanwhile, afterwards] = [await local.first("meanwhile"), await local.first("afterwards")];
      expect(meanwhile.at - readyAt).toBeLessThan(3_000);
      expect(afterwards.at - afterwards.dueAt).toBeLessThan(1_000);
      row(`Redis killed for ${awayMs / 1_000} s: carried out after it was ready`, seconds(meanwhile.at - readyAt));
    }),
  );

  test("a Redis that is out of memory: what opens is refused, what closes goes on", () =>
    inProcess(async ({ redis, local, direct }) => {
      for (let i = 0; i < 50; i += 1) await direct.set({ id: `t-${i}`, payload: "" }, 500);
      await redis.config("SET", "maxmemory", "1mb");
      await expect(direct.set({ id: "refused", payload: "" }, 0)).rejects.toThrow("OOM");
      await expect(direct.ensure([{ timer: { id: "refused", payload: "" }, inMs: 0 }])).rejects.toThrow("OOM");
      await waitFor(async () => (await direct.count()) === 0);
      expect(local.seen).toHaveLength(50);
      expect(local.troubles).toEqual([]);
      row("Redis out of memory, noeviction: carried out; new ones refused", `${local.seen.length} of 50`);
    }));

  test.each(["a flush", "eviction"])("%s: what is lost without a word comes back when it is ensured", (how) =>
    inProcess(async ({ redis, local, direct }) => {
      const all = Array.from({ length: 500 }, (_, i) => ({ timer: { id: `t-${i}`, payload: "p" }, inMs: 8_000 }));
      expect(await direct.ensure(all)).toBe(500);
      if (how === "a flush") await redis.flushall();
      else await evict(redis);
      const began = performance.now();
      const missing = await direct.ensure(all);
      const ms = performance.now() - began;
      expect(missing).toBe(500);
      await waitFor(async () => (await direct.count()) === 0, { timeoutMs: 15_000 });
      expect(local.seen).toHaveLength(500);
      row(`${how}: lost of 500, and brought back in`, `${missing}, ${ms.toFixed(0)} ms`);
    }),
  );

  test("three hundred times set anew at the instant when it is due: what was set is never lost", () =>
    inProcess(async ({ local, direct }) => {
      const tries = 300;
      for (let i = 0; i < tries; i += 1) {
        await direct.set({ id: `t-${i}`, payload: "first" }, 4);
        await delay(2 + (i % 8));
        await direct.set({ id: `t-${i}`, payload: "extended" }, 3_600_000);
      }
      await delay(500);
      expect(await direct.count()).toBe(tries);
      expect(await direct.nextInMs()).toBeGreaterThan(3_000_000);
      expect(local.seen.every(({ payload }) => payload === "first")).toBe(true);
      row(`set anew when it is due, ${tries} times: kept; carried out before`, `${tries}; ${local.seen.length}`);
    }));

  test("a failover by Sentinel", async () => {
    const sentinels = await startSentinels();
    const local = await localWorker(sentinels.url);
    const replicated = () => waitFor(async () => (await local.redis.wait(1, 500)) >= 1, { timeoutMs: 30_000 });
    try {
      await local.redis.set("first", "1");
      await replicated();
      await local.timers.set({ id: "one", payload: "" }, 1_500);
      await replicated();
      await waitFor(async () => ((await local.timers.nextInMs()) ?? 0) < 500);
      await sentinels.master.kill();
      const one = await local.first("one");
      expect(one.at - one.dueAt).toBeLessThan(10_000);
      row("failover by Sentinel (down after 0.5 s), due 0.5 s after the kill: late by", seconds(one.at - one.dueAt));
    } finally {
      await local.stop();
      await sentinels.stop();
    }
  });
});

/** The queue alone lets Redis have 1 MB: whole keys go, and nobody is told. */
async function evict(redis: Redis): Promise<void> {
  await redis.config("SET", "maxmemory-policy", "allkeys-lru");
  await redis.config("SET", "maxmemory", "1mb");
  await waitFor(async () => {
    // Where nothing is left that could go, this is refused.
    await redis.set("more", "x").catch(() => undefined);
    return (await redis.exists("{bulkhead}:timers")) === 0;
  });
  await redis.config("SET", "maxmemory", "0");
}
