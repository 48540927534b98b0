import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectRedis, untilReady } from "../../src/redis.ts";
import {
  startTimerWorker,
  type TimerHandler,
  type TimerHold,
  type TimerWorker,
  type TimerWorkerOptions,
} from "../../src/scheduler/timer-worker.ts";
import { type Claimed, createTimers } from "../../src/scheduler/timers.ts";
import { connectTestRedis, startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const redis = await connectTestRedis();
const timers = createTimers(redis);
const hourMs = 3_600_000;

const workers: TimerWorker[] = [];
const failures: string[] = [];
beforeEach(async () => {
  await redis.flushdb();
  failures.length = 0;
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop(0)));
});

function work(handle: TimerHandler, options: Partial<TimerWorkerOptions> = {}): TimerWorker {
  const worker = startTimerWorker(timers, handle, {
    onError: (error) => void failures.push(String(error)),
    onFailure: ({ id }, error) => void failures.push(`${id}: ${String(error)}`),
    ...options,
  });
  workers.push(worker);
  return worker;
}

const timer = (id: string) => ({ id, payload: "" });
const nothingLeft = () => waitFor(async () => (await timers.count()) === 0);
/** As if the worker that has it had been frozen for long. */
const lapse = (id: string) => redis.zadd("{bulkhead}:timers", "0", id);

/** Keeps every timer under way until it is let go. */
function gate() {
  const opened = Promise.withResolvers<undefined>();
  const held: { readonly timer: Claimed; readonly hold: TimerHold }[] = [];
  const handle: TimerHandler = (claimed, hold) => {
    held.push({ timer: claimed, hold });
    return opened.promise;
  };
  return { handle, held, open: () => opened.resolve(undefined) };
}

describe("A worker", () => {
  test("carries out what is due, once, and little late; what is not due stays", async () => {
    const seen: Claimed[] = [];
    await timers.set(timer("later"), hourMs);
    for (let i = 0; i < 50; i += 1) await timers.set(timer(`t-${i}`), 100 + i);
    for (let i = 0; i < 3; i += 1) work(async (claimed) => void seen.push(claimed));
    await waitFor(async () => (await timers.count()) === 1);
    expect(seen.map(({ id }) => id).toSorted()).toEqual(Array.from({ length: 50 }, (_, i) => `t-${i}`).toSorted());
    // Far above what it is on a quiet machine: test/bench measures it.
    expect(seen.map(({ lateMs }) => lateMs).toSorted((a, b) => a - b)[25]).toBeLessThan(1_000);
    expect(failures).toEqual([]);
  });

  test("sees one that is added while it waits for one that is due much later", async () => {
    await timers.set(timer("later"), hourMs);
    const seen: string[] = [];
    work(async ({ id }) => void seen.push(id));
    await timers.set(timer("soon"), 20);
    await waitFor(() => seen.includes("soon"));
    expect(seen).toEqual(["soon"]);
  });

  test("carries out again what its handler wants again, and keeps it until then", async () => {
    const seen: Claimed[] = [];
    await timers.set(timer("one"), 0);
    work(async (claimed) => (seen.push(claimed) < 3 ? 30 : undefined));
    await nothingLeft();
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(seen[1]!.dueAt).toBeGreaterThan(seen[0]!.dueAt);
  });

  test("tries again what its handler throws, and tells of it", async () => {
    const seen: Claimed[] = [];
    await timers.set(timer("one"), 0);
    work((claimed) => {
      if (seen.push(claimed) < 3) throw new Error("not yet");
      return Promise.resolve(undefined);
    });
    await nothingLeft();
    expect(seen.map(({ attempt, dueAt }) => [attempt, dueAt])).toEqual([1, 2, 3].map((n) => [n, seen[0]!.dueAt]));
    expect(failures).toEqual(["one: Error: not yet", "one: Error: not yet"]);
  });

  test("is kept from nothing by timers that always fail", async () => {
    const seen: string[] = [];
    for (let i = 0; i < 20; i += 1) await timers.set(timer(`poison-${i}`), -1_000);
    for (let i = 0; i < 20; i += 1) await timers.set(timer(`good-${i}`), 0);
    const handle: TimerHandler = async ({ id }) => {
      if (id.startsWith("poison")) throw new Error("never");
      seen.push(id);
      return undefined;
    };
    work(handle, { concurrency: 2 });
    await waitFor(() => seen.length === 20);
    expect(new Set(seen).size).toBe(20);
    expect(await timers.count()).toBe(20);
  });

  test("gives up the place of one that does not end, which is tried again, and may write no more", async () => {
    const holds: TimerHold[] = [];
    await timers.set(timer("endless"), -1_000);
    await timers.set(timer("good"), 0);
    const handle: TimerHandler = (claimed, hold) => {
      if (claimed.id === "good") return Promise.resolve(undefined);
      holds.push(hold);
      return new Promise(() => undefined);
    };
    work(handle, { concurrency: 1, handleWithinMs: 50 });
    await waitFor(async () => (await timers.count()) === 1);
    await waitFor(() => holds.length === 2);
    expect(await holds[0]!.check()).toBe(false);
    expect(failures[0]).toBe("endless: Error: it did not end within 50 ms");
  });

  test("carries out no more at once than it may", async () => {
    const { handle, held, open } = gate();
    for (let i = 0; i < 10; i += 1) await timers.set(timer(`t-${i}`), -1_000);
    work(handle, { concurrency: 3 });
    await waitFor(() => held.length === 3);
    expect((await timers.claim(20)).length).toBe(7);
    open();
    await waitFor(async () => (await timers.count()) === 7);
  });

  test("holds what it carries out, and renews it", async () => {
    const { handle, held, open } = gate();
    await timers.set(timer("one"), 0);
    work(handle);
    await waitFor(() => held.length === 1);
    expect(await held[0]!.hold.check()).toBe(true);
    await lapse("one");
    await redis.zadd("{bulkhead}:timers", "XX", String(held[0]!.timer.dueAt + 3_000), "one");
    const before = Number(await redis.zscore("{bulkhead}:timers", "one"));
    await waitFor(async () => Number(await redis.zscore("{bulkhead}:timers", "one")) > before, { timeoutMs: 3_000 });
    open();
    await nothingLeft();
    expect(held).toHaveLength(1);
  });
});

describe("A hold", () => {
  test("is lost when another has taken the timer over, and what its worker says of it counts no more", async () => {
    const { handle, held, open } = gate();
    await timers.set(timer("one"), 0);
    work(handle);
    await waitFor(() => held.length === 1);
    await lapse("one");
    const taken = await waitFor(async () => (await timers.claim(1))[0]);
    expect(await held[0]!.hold.check()).toBe(false);
    open();
    expect(await timers.renew(taken!)).toBe(true);
    expect(await timers.count()).toBe(1);
  });

  test("is lost when the timer is set anew or removed", async () => {
    const { handle, held, open } = gate();
    await timers.set(timer("set"), 0);
    await timers.set(timer("removed"), 0);
    work(handle);
    await waitFor(() => held.length === 2);
    await timers.set(timer("set"), hourMs);
    await timers.remove("removed");
    expect(await Promise.all(held.map(({ hold }) => hold.check()))).toEqual([false, false]);
    open();
    expect(await timers.count()).toBe(1);
  });
});

describe("Stopping a worker", () => {
  test("waits for what is under way, and claims nothing more", async () => {
    const { handle, held, open } = gate();
    await timers.set(timer("one"), 0);
    const worker = work(handle);
    await waitFor(() => held.length === 1);
    const stopped = worker.stop();
    await timers.set(timer("two"), 0);
    open();
    await stopped;
    expect(held).toHaveLength(1);
    expect((await timers.claim(10)).map(({ id }) => id)).toEqual(["two"]);
  });

  test("lets others have at once what does not end, and what does it may write no more", async () => {
    const { handle, held } = gate();
    await timers.set(timer("one"), 0);
    const worker = work(handle);
    await waitFor(() => held.length === 1);
    await worker.stop(10);
    expect(await held[0]!.hold.check()).toBe(false);
    expect(await timers.claim(10)).toMatchObject([{ id: "one", dueAt: held[0]!.timer.dueAt, attempt: 2 }]);
  });
});

test("A worker goes on while Redis is away, tells of it once, and carries out what became due meanwhile", async () => {
  const server = await startOwnRedis();
  const client = connectRedis(server.url, { onError: () => undefined });
  const told: string[] = [];
  const seen: string[] = [];
  const own = createTimers(client);
  const checks: boolean[] = [];
  const handle: TimerHandler = async ({ id }, hold) => {
    seen.push(id);
    if (id === "first") await server.kill();
    checks.push(await hold.check());
    return undefined;
  };
  try {
    await untilReady(client, 5_000);
    const worker = startTimerWorker(own, handle, {
      onError: (_, again) => void (again || told.push("away")),
      onRecovery: () => void told.push("back"),
      onFailure: () => undefined,
    });
    await own.set(timer("meanwhile"), 400);
    await own.set(timer("first"), 0);
    await waitFor(() => told.includes("away"));
    expect(checks).toEqual([true]);
    await server.restart();
    await waitFor(() => told.includes("back") && seen.includes("meanwhile"));
    expect(told).toEqual(["away", "back"]);
    await worker.stop(0);
  } finally {
    client.disconnect();
    await server.stop();
  }
});
