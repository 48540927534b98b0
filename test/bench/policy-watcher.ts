import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { createHistory, type History } from "../../src/history/history.ts";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { authorsOf } from "../../src/policy/authors.ts";
import { startRecorder } from "../../src/recorder.ts";

/**
 * A process that follows all policies: bare (`bare`), or with the recorder and a history in Redis (`recorder`). It prints
 * what that took until all is listed and compared, then goes on, and with each line of standard input prints how changes
 * came since: by resourceVersion, the moment at which it was seen, or recorded.
 */
export type Started = { readonly ms: number; readonly heapMb: number; readonly stallMs: number };
export type Came = Readonly<Record<string, number>>;

const [how = "", text = "", redisUrl = ""] = process.argv.slice(2);
const connection = createConnection({ source: { kind: "text", text }, now: Date.now });
const redis = new Redis(redisUrl);
await redis.ping();
await connection.request("GET", "/apis/networking.k8s.io/v1/networkpolicies", { query: { limit: "20" } });
const came: Record<string, number> = {};
const before = heap();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const begun = performance.now();
const cluster = await createCluster("bench", connection, { now: Date.now, watch: true });
const kinds = await (how === "bare" ? bare() : recorded());
const ms = performance.now() - begun;
delay.disable();
const started: Started = { ms, heapMb: heap() - before, stallMs: delay.max / 1e6 };
process.stdout.write(`${JSON.stringify(started)}\n`);
if (kinds === 0) throw new Error("nothing was followed");
process.stdin.on("data", () => void process.stdout.write(`${JSON.stringify(came)}\n`));
process.stdin.on("end", () => process.exit(0));

async function bare(): Promise<number> {
  cluster.followPolicies({
    onSights(sights) {
      for (const { object } of sights) came[object.metadata.resourceVersion] = Date.now();
    },
  });
  return synced();
}

async function recorded(): Promise<number> {
  const kept = createHistory(redis, { keepMs: 86_400_000, perPolicy: 50, authors: authorsOf });
  let compared = 0;
  const history: History = {
    ...kept,
    known(name) {
      compared += 1;
      return kept.known(name);
    },
    async saw(sights) {
      await kept.saw(sights);
      for (const { object } of sights) came[object.metadata.resourceVersion] = Date.now();
    },
  };
  const onError = (error: unknown): void => {
    throw error;
  };
  const recorder = startRecorder(cluster, { history, now: Date.now, onError });
  const followed = await synced();
  while (compared === 0 || !recorder.isIdle()) await wait(1);
  return followed;
}

async function synced(): Promise<number> {
  while (!cluster.followedPolicies().some(({ state }) => state.synced)) await wait(1);
  return cluster.followedPolicies().length;
}

/** MiB in use after a full collection (the process runs with --expose-gc). */
function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
