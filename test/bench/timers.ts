import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { mediansTable, tableOf } from "./figures.ts";
import { type Due, register, type System, systems } from "./timer-queues.ts";
import type { Answer, Order, Worked } from "./timer-worker.ts";

const windowMs = 10_000;
const settings = [10_000, 100_000].flatMap((count) => [1, 3].map((workers) => ({ count, workers })));
const sample = 2_000;
const startsWithinMs = 1_500;

type Setting = (typeof settings)[number];
type Measured = {
  readonly perSecond: number;
  readonly bytesEach: number;
  readonly redisCpuMs: number;
  readonly workerCpuMs: number;
  readonly late: readonly number[];
};

/** Timers that fall due within ten seconds, on our queue and on BullMQ as it comes; `print` gets a table at a time. */
export async function benchTimers(print: (table: string) => void): Promise<void> {
  for (const setting of settings) {
    const ours = await measure("ours", setting);
    const bullmq = await measure("bullmq", setting);
    for (const table of tablesOf(setting, { ours, bullmq })) print(table);
  }
}

function tablesOf({ count, workers }: Setting, measured: Readonly<Record<System, Measured>>): readonly string[] {
  const title = `${count} timers that fall due within ${windowMs / 1_000} s, ${workers} worker${workers > 1 ? "s" : ""}, Redis without a disk`;
  const name = (system: System): string => (system === "ours" ? "the lease queue" : "BullMQ");
  return [
    tableOf(
      `${title}: how late each was begun`,
      systems.map((system) => ({ name: name(system), times: measured[system].late })),
    ),
    mediansTable(
      `${title}: what it took`,
      systems.map((system) => ({
        name: name(system),
        columns: {
          "added /s": [measured[system].perSecond],
          "bytes each": [measured[system].bytesEach],
          "Redis ms": [measured[system].redisCpuMs],
          "workers ms": [measured[system].workerCpuMs],
        },
      })),
    ),
  ];
}

/**
 * On a Redis of its own that writes nothing to disk: this compares queues, and a disk that others use at the same time would
 * be all that one sees. With `appendfsync always`, as Bulkhead wants it, each write waits for the disk besides.
 */
async function measure(system: System, { count, workers }: Setting): Promise<Measured> {
  const server = await startOwnRedis(["--appendonly", "no"]);
  const redis = new Redis(server.url);
  const processes = await forkWorkers(system, server.url, workers);
  try {
    const { windowAt, tookMs, bytesEach } = await fill(system, server.url, redis, count);
    await processes.begin();
    if (Date.now() > windowAt) throw new Error(`${system}: the workers were ready too late`);
    await delay(windowAt - Date.now());
    const cpu = await cpuMs(redis);
    await waitFor(async () => (await left(redis, keys[system])) === 0, { timeoutMs: 6 * windowMs, everyMs: 100 });
    const redisCpuMs = (await cpuMs(redis)) - cpu;
    const worked = await processes.report();
    const late = worked.flatMap((one) => one.late);
    if (late.length < count) throw new Error(`${system}: ${late.length} begun of ${count}`);
    const workerCpuMs = worked.reduce((sum, one) => sum + one.cpuMs, 0);
    return { perSecond: (count / tookMs) * 1_000, bytesEach, redisCpuMs, workerCpuMs, late };
  } finally {
    processes.stop();
    redis.disconnect();
    await server.stop();
  }
}

/** All of them have to be there, and the workers ready, before the first is due: a sample says how long that will take. */
async function fill(system: System, url: string, redis: Redis, count: number) {
  let eachMs = (await timed(() => register(system, url, due(sample, Date.now() + 3_600_000)))) / sample;
  for (;;) {
    await redis.flushall();
    const memory = await figure(redis, "used_memory");
    const windowAt = Date.now() + 1.25 * eachMs * count + startsWithinMs;
    const tookMs = await timed(() => register(system, url, due(count, windowAt)));
    const bytesEach = ((await figure(redis, "used_memory")) - memory) / count;
    if (Date.now() < windowAt - startsWithinMs) return { windowAt, tookMs, bytesEach };
    eachMs = tookMs / count;
  }
}

/** Ids and payloads as those of an allowance are: about forty and about a hundred characters. */
function due(count: number, from: number): readonly Due[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `production shop-${i % 100}/bulkhead-a-${i.toString(36).padStart(5, "0")}-1800`,
    payload: JSON.stringify({
      version: 1,
      operation: `a-${i}`,
      engine: "networkpolicy",
      since: from,
      of: "x".repeat(30),
    }),
    at: Math.round(from + (i / count) * windowMs),
  }));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

type Workers = {
  /** Resolves when all of them are ready for what comes due. */
  begin(): Promise<void>;
  report(): Promise<readonly Worked[]>;
  stop(): void;
};

async function forkWorkers(system: System, url: string, count: number): Promise<Workers> {
  const file = fileURLToPath(new URL("timer-worker.ts", import.meta.url));
  const children = Array.from({ length: count }, () => fork(file, [system, url]));
  const all = (order?: Order) => Promise.all(children.map((child) => answerOf(child, order)));
  await all();
  return {
    begin: async () => void (await all("begin")),
    report: async () => (await all("report")).filter((answer) => typeof answer !== "string"),
    stop: () => children.forEach((child) => child.kill("SIGKILL")),
  };
}

/** Its answer to the order; without one, what it says when it is there. */
async function answerOf(child: ChildProcess, order?: Order): Promise<Answer> {
  const answer = once(child, "message") as Promise<[Answer]>;
  if (order !== undefined) child.send(order);
  return (await answer)[0];
}

/** Where each of them keeps what is not done. */
const keys: Readonly<Record<System, readonly string[]>> = {
  ours: ["{bulkhead}:timers"],
  bullmq: ["delayed", "wait", "prioritized", "active"].map((name) => `bull:timers:${name}`),
};

async function left(redis: Redis, names: readonly string[]): Promise<number> {
  const counts = names.map(async (name) => {
    const type = await redis.type(name);
    return type === "zset" ? redis.zcard(name) : type === "list" ? redis.llen(name) : 0;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function figure(redis: Redis, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\S+)`, "m").exec(await redis.info())?.[1]);
}

async function cpuMs(redis: Redis): Promise<number> {
  return ((await figure(redis, "used_cpu_user")) + (await figure(redis, "used_cpu_sys"))) * 1_000;
}
