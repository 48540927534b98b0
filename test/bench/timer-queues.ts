import { type Job, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { startTimerWorker } from "../../src/scheduler/timer-worker.ts";
import { createTimers } from "../../src/scheduler/timers.ts";

/** A timer of the bench, due at that moment, milliseconds since the epoch; all processes are on one machine. */
export type Due = { readonly id: string; readonly payload: string; readonly at: number };

export const systems = ["ours", "bullmq"] as const;
export type System = (typeof systems)[number];

/** Adds them, as many at a time as each does best. */
export async function register(system: System, url: string, all: readonly Due[]): Promise<void> {
  await (system === "ours" ? registerOurs(url, all) : registerBullmq(url, all));
}

/** Carries out what is due; `handle` learns when that was. */
export async function startWorker(
  system: System,
  url: string,
  handle: (dueAt: number) => Promise<void>,
): Promise<void> {
  if (system === "ours") {
    const redis = connectRedis(url, { onError: tell });
    await untilReady(redis, 5_000);
    const work = async ({ dueAt }: { readonly dueAt: number }): Promise<undefined> => {
      await handle(dueAt);
      return undefined;
    };
    startTimerWorker(createTimers(redis), work, { onError: tell, onFailure: (_, error) => tell(error), concurrency });
    return;
  }
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  // `job.delay` is 0 by then: what was asked for is in the options.
  const work = (job: Job): Promise<void> => handle(job.timestamp + (job.opts.delay ?? Number.NaN));
  const worker = new Worker(queueName, work, { connection, concurrency });
  worker.on("error", tell);
  worker.on("failed", (_, error) => tell(error));
  await worker.waitUntilReady();
}

const queueName = "timers";
const concurrency = 200;
const atOnce = 1_000;

async function registerOurs(url: string, all: readonly Due[]): Promise<void> {
  const redis = connectRedis(url, { onError: tell });
  await untilReady(redis, 5_000);
  const timers = createTimers(redis);
  for (let from = 0; from < all.length; from += atOnce) {
    const some = all.slice(from, from + atOnce);
    await timers.ensure(some.map(({ id, payload, at }) => ({ timer: { id, payload }, inMs: at - Date.now() })));
  }
  redis.disconnect();
}

async function registerBullmq(url: string, all: readonly Due[]): Promise<void> {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue(queueName, { connection });
  for (let from = 0; from < all.length; from += atOnce) {
    const timestamp = Date.now();
    const job = ({ id, payload, at }: Due) => ({
      name: "close",
      data: payload,
      opts: { jobId: id, delay: at - timestamp, timestamp, removeOnComplete: true },
    });
    await queue.addBulk(all.slice(from, from + atOnce).map(job));
  }
  await queue.close();
  connection.disconnect();
}

function tell(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
}
