import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { createTimers, type Timers } from "../../src/scheduler/timers.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

export type WorkerSettings = {
  readonly name: string;
  /** Where the timers are. */
  readonly redis: string;
  /** Another Redis: what the timers are to change, and where the workers tell what they do. */
  readonly world: string;
  readonly workMs: number;
  /** So far the worker's wall clock jumps soon after its start. */
  readonly clockStepMs?: number;
};

/** What a worker told, with the moment by the clock of Redis. `was gone`: somebody else had closed it before. */
export type Told = {
  readonly what: "begun" | "refrained" | "closed" | "was gone";
  readonly id: string;
  readonly worker: string;
  readonly attempt: number;
  readonly at: number;
};

export type WorkerProcess = {
  readonly name: string;
  kill(): Promise<void>;
  freeze(): void;
  resume(): void;
};

/** A Redis with timers, a world that they change, and worker processes. */
export type TimerArena = {
  readonly server: OwnRedis;
  readonly timers: Timers;
  /** Past the queue. */
  readonly redis: Redis;
  /** Registers it, and adds the object that it is to delete. */
  open(id: string, inMs: number): Promise<void>;
  start(name: string, settings: Partial<WorkerSettings>): Promise<WorkerProcess>;
  told(what: Told["what"]): Promise<readonly Told[]>;
  /** Waits for as many of these. */
  untilTold(what: Told["what"], count: number, timeoutMs?: number): Promise<readonly Told[]>;
  /** How many objects are left. */
  left(): Promise<number>;
  close(): Promise<void>;
};

export async function startTimerArena(): Promise<TimerArena> {
  const [server, worldServer] = await Promise.all([startOwnRedis(), startOwnRedis(["--appendonly", "no"])]);
  const redis = connectRedis(server.url, { onError: () => undefined });
  const world = new Redis(worldServer.url);
  await untilReady(redis, 5_000);
  const timers = createTimers(redis);
  const processes: WorkerProcess[] = [];
  const told = async (what: Told["what"]): Promise<readonly Told[]> =>
    (await world.lrange("told", 0, -1)).map((line) => JSON.parse(line) as Told).filter((one) => one.what === what);
  return {
    server,
    timers,
    redis,
    async open(id, inMs) {
      await world.set(`object ${id}`, "open");
      await timers.set({ id, payload: "" }, inMs);
    },
    async start(name, settings) {
      const all = { name, redis: server.url, world: worldServer.url, workMs: 0, ...settings };
      const started = await startProcess(all);
      processes.push(started);
      return started;
    },
    told,
    untilTold: (what, count, timeoutMs = 15_000) =>
      waitFor(
        async () => {
          const all = await told(what);
          return all.length >= count ? all : undefined;
        },
        { timeoutMs },
      ).then((all) => all ?? []),
    left: async () => (await world.keys("object *")).length,
    async close() {
      await Promise.all(processes.map((one) => one.kill()));
      for (const client of [redis, world]) client.disconnect();
      await Promise.all([server.stop(), worldServer.stop()]);
    },
  };
}

async function startProcess(settings: WorkerSettings): Promise<WorkerProcess> {
  const file = fileURLToPath(new URL("timer-process.ts", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [file, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  if (child.stdout === null) throw new Error("no output");
  await once(child.stdout, "data");
  return {
    name: settings.name,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
    freeze: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
}
