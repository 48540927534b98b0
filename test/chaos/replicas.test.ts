import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { type Recording, recordNamespace } from "../cluster/recording.ts";
import { waitFor } from "../wait.ts";
import { createAlice } from "./alice.ts";
import { type Arena, startArena } from "./arena.ts";
import type { Sources } from "./evidence.ts";
import { check } from "./invariants.ts";
import { prepare, sourcesOf } from "./lane.ts";
import { type RealCluster, useRealCluster } from "./real-cluster.ts";

/**
 * Three replicas, every delivery to each of them, and one of them killed for every few pods: on the control plane of
 * KUBECONFIG, with the rights of deploy/ and no more; without it on the sandbox's cluster.
 */
const namespace = `shop-${randomBytes(3).toString("hex")}`;
const pods = Array.from({ length: 50 }, (_, index) => `pod-${index + 1}`);
/** People at work at the same time. */
const hands = 6;
/** Each replica has two connections to Slack. */
const deliveries = 6;
/** Counted in work and not in time: a fast machine would be through before the fourth kill. */
const killEveryPods = 7;

let real: RealCluster | undefined;
let arena: Arena;
let recording: Recording;
let sources: Sources;

beforeAll(async () => {
  real = await useRealCluster([namespace]);
  const objects = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
  arena = await startArena(real === undefined ? { objects } : { kubernetes: real.kubernetes });
  recording = await recordNamespace(arena.admin, namespace, 3_600);
  for (const name of pods) await prepare(arena.admin, namespace, name);
  for (let i = 0; i < 3; i++) await (await arena.addReplica()).start();
  sources = sourcesOf(arena, namespace, recording);
});
afterAll(async () => {
  await recording?.stop();
  await arena?.close();
  await real?.remove();
});

/**
 * Kills one replica after the other and starts it again, whenever as many pods more were begun, until told to stop; then
 * all are alive. `keepPace` holds new work back while more than one kill is due.
 */
function beginKilling(begun: () => number): { keepPace(): Promise<unknown>; stop(): Promise<number> } {
  let going = true;
  let kills = 0;
  const due = (): number => Math.floor(begun() / killEveryPods) - kills;
  const killing = (async () => {
    for (;;) {
      await waitFor(() => !going || due() > 0, { timeoutMs: 300_000 });
      if (!going) return;
      const victim = arena.replicas[kills % arena.replicas.length]!;
      await victim.kill();
      kills += 1;
      await victim.start();
    }
  })();
  return {
    keepPace: () => waitFor(() => due() <= 1, { timeoutMs: 60_000 }),
    stop: async () => {
      going = false;
      await killing;
      return kills;
    },
  };
}

test("A hundred operations are each done once and stand in the audit once, while replicas are killed", async () => {
  const queue = [...pods];
  const killer = beginKilling(() => pods.length - queue.length);
  const remarks: string[] = [];
  const found: string[] = [];
  const work = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await killer.keepPace();
      const alice = createAlice(arena.slack, { deliveries, patienceMs: 30_000, tries: 3 });
      const target = `${namespace}/${name}`;
      const quarantine = await alice.plan(`quarantine ${target}`, target);
      await alice.carryThrough(quarantine, /ISOLATED FOR NEW CONNECTIONS/);
      const release = await alice.plan(`release ${quarantine}`, target);
      await alice.carryThrough(release, /Released: /);
      remarks.push(...alice.remarks);
      found.push(...(await check(sources, false)));
    }
  };
  let kills = 0;
  try {
    await Promise.all(Array.from({ length: hands }, work));
  } finally {
    kills = await killer.stop();
  }
  await waitFor(async () => (await arena.redis.zcard("{bulkhead}:leases")) === 0, { timeoutMs: 30_000 });
  expect([...found, ...(await check(sources, true))]).toEqual([]);

  const operations = await createOperations(arena.redis, { now: Date.now }).list({});
  const done = operations.filter(
    ({ state, steps }) => state === "done" && steps.some(({ step }) => step === "confirmed"),
  );
  const entries = await createAuditLog(arena.redis, { onEntry: () => undefined }).read({});
  const of = (kind: string) => entries.filter((entry) => entry.kind === kind).map(({ operation = "" }) => operation);
  const sorted = (all: readonly string[]) => all.toSorted((a, b) => a.localeCompare(b));
  const ids = sorted(done.map(({ id }) => id));
  process.stdout.write(`${done.length} operations done, ${kills} replicas killed; beyond that: ${tally(remarks)}\n`);
  expect(done).toHaveLength(pods.length * 2);
  expect(sorted(of("intent"))).toEqual(ids);
  expect(sorted(of("outcome"))).toEqual(ids);
  expect(kills).toBeGreaterThan(3);
}, 600_000);

function tally(words: readonly string[]): string {
  const counts = Map.groupBy(words, (word) => word);
  return counts.size === 0 ? "nothing" : [...counts].map(([word, all]) => `${all.length} × ${word}`).join(", ");
}
