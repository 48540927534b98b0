import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { setTimers } from "../../src/commands/allowance-timers.ts";
import { allowanceObjectName } from "../../src/policy/allowance.ts";
import type { Manifest } from "../../src/policy/manifest.ts";
import { createTimers } from "../../src/scheduler/timers.ts";
import { allowanceObject } from "../commands/allowance-world.ts";
import { waitFor } from "../wait.ts";
import { type AllowanceWatcher, watchAllowances } from "./allowance-watcher.ts";
import { type Arena, startArena } from "./arena.ts";

/** Two replicas whose wall clocks jump by five minutes ahead and back all the time (stepped-date.ts). */
const namespace = "payments";
const monthSeconds = 30 * 86_400;
/** Node fires a timer of more than 24.8 days at once. */
const forMonth = objectOf(0, monthSeconds);

let arena: Arena;
let watcher: AllowanceWatcher;
let made = 0;

beforeAll(async () => {
  const objects = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
  const env = () => ({ NODE_OPTIONS: `--import=${fileURLToPath(new URL("./stepped-date.ts", import.meta.url))}` });
  arena = await startArena({ objects, env });
  watcher = await watchAllowances(arena.admin, 600);
  for (let i = 0; i < 2; i += 1) await (await arena.addReplica()).start();
  await put([forMonth]);
  await setTimers({ timers: createTimers(arena.redis) }, { name: "chaos" }, [placeOf(forMonth)], monthSeconds * 1_000);
}, 120_000);

afterAll(async () => {
  await watcher?.stop();
  await arena?.close();
});

function objectOf(number: number, ttlSeconds: number): Manifest {
  const operation = `a-${String(number).padStart(7, "0")}`;
  return allowanceObject({ operation, namespace, ttlSeconds, maxSeconds: ttlSeconds });
}

/** Ten, whose ends lie between 5 and 8 s away. */
function some(): readonly Manifest[] {
  return Array.from({ length: 10 }, (_, index) => objectOf((made += 1), 5 + (index % 4)));
}

async function put(objects: readonly Manifest[]): Promise<void> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  await Promise.all(objects.map((body) => arena.admin.request("POST", path, { body })));
}

function placeOf({ metadata: { name, labels } }: Manifest) {
  return { namespace, name, operation: labels?.["bulkhead.dev/operation"] ?? "" };
}

/** How late each of them went, in milliseconds; waits until all are gone. */
async function lateness(objects: readonly Manifest[], withinMs: number): Promise<readonly number[]> {
  const names = new Set(objects.map(({ metadata }) => metadata.name));
  const lives = () => watcher.lives().filter(({ name }) => names.has(name));
  await waitFor(() => lives().length === names.size && lives().every(({ goneAt }) => goneAt !== undefined), {
    timeoutMs: withinMs,
  });
  return lives().map(({ goneAt = 0, endsAt }) => goneAt - endsAt);
}

/** The calls that deleted something before its end, by this machine's clock, which is the API server's. */
function early(): readonly string[] {
  const ends = new Map(watcher.lives().map(({ name, endsAt }) => [name, endsAt]));
  return arena.replicas
    .flatMap(({ kube }) => kube.writes())
    .filter(({ verb, what, at }) => verb === "DELETE" && at < (ends.get(what.split("/").at(-1) ?? "") ?? 0))
    .map(({ what }) => what);
}

function said(net: string, late: readonly number[]): void {
  process.stdout.write(`clock steps: ${net}: late by ${Math.min(...late)} to ${Math.max(...late)} ms\n`);
}

test("Timers in Redis close in time and not early", async () => {
  const objects = some();
  await put(objects);
  const timers = createTimers(arena.redis);
  for (const object of objects) {
    const seconds = Number(object.metadata.annotations?.["bulkhead.dev/ttl-seconds"]);
    await setTimers({ timers }, { name: "chaos" }, [placeOf(object)], seconds * 1_000);
  }
  const late = await lateness(objects, 20_000);
  said("timers in Redis", late);
  // Those in memory come 2 s later.
  expect(Math.max(...late)).toBeLessThan(2_000);
  expect(early()).toEqual([]);
});

test("Timers in memory close in time and not early while Redis is away", async () => {
  await arena.server.kill();
  const objects = some();
  await put(objects);
  const late = await lateness(objects, 30_000);
  said("timers in memory", late);
  expect(Math.max(...late)).toBeLessThan(10_000);
  expect(early()).toEqual([]);
});

test("Lists alone close soon and not early, with Redis away and no watch that tells anything", async () => {
  for (const { kube } of arena.replicas) {
    kube.decide(({ what }) => (/[?&]watch=/.test(what) ? { instead: "hang" } : undefined));
    kube.cut();
  }
  await delay(1_000);
  const objects = some();
  await put(objects);
  const late = await lateness(objects, 60_000);
  said("lists", late);
  expect(Math.max(...late)).toBeLessThan(22_000);
  expect(early()).toEqual([]);
});

test("What holds for a month is still there, and the clocks did jump", async () => {
  const lines = arena.replicas.flatMap((replica) => replica.bot()?.lines ?? []);
  const times = lines.flatMap((line) => Number(/"time":(\d+)/.exec(line)?.[1] ?? Number.NaN)).filter((at) => at > 0);
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500_000);
  const { operation } = placeOf(forMonth);
  const name = allowanceObjectName({ operation, ttlSeconds: monthSeconds, maxSeconds: monthSeconds, index: 0 });
  expect(await watcher.left()).toEqual([name]);
});
