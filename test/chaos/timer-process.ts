import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { connectRedis } from "../../src/redis.ts";
import { startTimerWorker } from "../../src/scheduler/timer-worker.ts";
import { createTimers } from "../../src/scheduler/timers.ts";
import type { WorkerSettings } from "./timer-arena.ts";

/**
 * A process with one worker, that a test may kill, freeze and mislead: `node timer-process.ts SETTINGS`, as JSON. What a
 * timer does here is what closing does to the cluster: it deletes one object, which only one can do.
 */
const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;

const timers = createTimers(connectRedis(settings.redis, { onError: () => undefined }));
const world = new Redis(settings.world);

/**
 * With the moment, by the clock of the world's Redis: that of this process may be wrong. Closing and telling of it is one
 * script, so that a kill between the two makes no effect look as if there had been none.
 */
const tellScript = `local time = redis.call("TIME")
local at = time[1] * 1000 + math.floor(time[2] / 1000)
local what = ARGV[1]
if what == "close" then what = redis.call("DEL", "object " .. ARGV[2]) == 1 and "closed" or "was gone" end
redis.call("RPUSH", KEYS[1], cjson.encode({ what = what, id = ARGV[2], worker = ARGV[3], attempt = tonumber(ARGV[4]), at = at }))`;
const tell = (what: "begun" | "refrained" | "close", id: string, attempt: number) =>
  world.eval(tellScript, 1, "told", what, id, settings.name, attempt);

startTimerWorker(
  timers,
  async ({ id, attempt }, hold) => {
    await tell("begun", id, attempt);
    await delay(settings.workMs);
    await tell((await hold.check()) ? "close" : "refrained", id, attempt);
    return undefined;
  },
  { onError: () => undefined, onFailure: () => undefined },
);

if (settings.clockStepMs !== undefined) {
  await delay(500);
  stepClock(settings.clockStepMs);
}
process.stdout.write("ready\n");

/** What a step of the machine's clock is to a program: Date jumps, performance.now and timeouts do not. */
function stepClock(ms: number): void {
  const real = Date.now.bind(Date);
  Date.now = () => real() + ms;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: []) => (args.length > 0 ? new target(...args) : new target(target.now())),
  });
}
