import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { marks } from "../../src/policy/marks.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { type Recording, recordNamespace } from "../cluster/recording.ts";
import { waitFor } from "../wait.ts";
import { createAlice } from "./alice.ts";
import { wordsOf } from "./answers.ts";
import { type Arena, startArena } from "./arena.ts";
import type { Sources } from "./evidence.ts";
import { check } from "./invariants.ts";
import { prepare, sourcesOf } from "./lane.ts";
import { type Memory, measured, memoryOf, quarters } from "./memory.ts";
import { createRandom } from "./random.ts";
import { troubles } from "./troubles.ts";

/**
 * Mixed work by several people on three replicas, with mixed trouble, for SOAK_MINUTES (5). Every step is followed by
 * the invariants; every minute everything comes to rest, and then nothing may be half done. SOAK_SEED repeats the order
 * of what is tried and of what goes wrong, not how they meet.
 */
const minutes = Number(process.env["SOAK_MINUTES"] ?? 5);
const seed = Number(process.env["SOAK_SEED"] ?? Date.now() % 1_000_000);
const random = createRandom(seed);
const namespace = "shop";
const pods = Array.from({ length: 16 }, (_, index) => `pod-${index + 1}`);
const people = 4;
const restEveryMs = 60_000;
const megabyte = 1_048_576;

let arena: Arena;
let recording: Recording;
let sources: Sources;

beforeAll(async () => {
  const names = ["shop", "bulkhead"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  arena = await startArena({ objects: names, env: () => measured });
  for (const name of pods) await prepare(arena.admin, namespace, name);
  for (let i = 0; i < 3; i++) await (await arena.addReplica()).start();
  recording = await recordNamespace(arena.admin, namespace, (minutes + 30) * 60);
  sources = sourcesOf(arena, namespace, recording);
});
afterAll(async () => {
  await recording?.stop();
  await arena?.close();
});

const tally = new Map<string, number>();
const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);

test(
  `Mixed work and mixed trouble for ${minutes} min leave every invariant whole and the memory flat`,
  async () => {
    process.stdout.write(`soak: SOAK_SEED=${seed} SOAK_MINUTES=${minutes}\n`);
    const endsAt = Date.now() + minutes * 60_000;
    const memory: Memory[] = [];
    while (Date.now() < endsAt) {
      await busyUntil(Math.min(endsAt, Date.now() + restEveryMs), memory);
      await comeToRest();
      expect(await check(sources, true), `at rest, seed ${seed}`).toEqual([]);
    }
    const { second, last } = quarters(memory);
    process.stdout.write(`${report()}\n${inWords("second quarter", second)}\n${inWords("last quarter", last)}\n`);
    expect(tally.get("released"), report()).toBeGreaterThan(minutes * 10);
    expect(last.heap, inTurn(memory)).toBeLessThan(second.heap * 1.25 + 8 * megabyte);
    expect(last.rss, inTurn(memory)).toBeLessThan(second.rss * 1.25 + 16 * megabyte);
  },
  (minutes + 10) * 60_000,
);

/** People work and things go wrong until then; returns when the last of them has ended, and all is well again. */
async function busyUntil(until: number, memory: Memory[]): Promise<void> {
  const free = [...pods];
  const going = () => Date.now() < until;
  const person = async (): Promise<void> => {
    while (going()) {
      const name = free.shift();
      if (name === undefined) return;
      await work(name);
      free.push(name);
      await checkAfterStep();
    }
  };
  const watching = (async () => {
    while (going()) {
      await delay(2_000);
      const used = await memoryOf(arena.replicas[0]?.bot());
      if (used !== undefined) memory.push(used);
    }
  })();
  await Promise.all([...Array.from({ length: people }, person), trouble(going), watching]);
}

async function trouble(going: () => boolean): Promise<void> {
  while (going()) {
    await delay(random.between(500, 2_000));
    const name = random.pick(Object.keys(troubles));
    const heal = await troubles[name]!(arena, random);
    count(`trouble: ${name}`);
    await delay(random.between(1_000, 4_000));
    await heal();
  }
}

/** One thing that somebody does about a pod; what cannot be done while things go wrong is given up. */
async function work(name: string): Promise<void> {
  const target = `${namespace}/${name}`;
  const what = random.pick(["cycle", "cycle", "cycle", "duplicates", "cancel", "refusal", "reads"]);
  const alice = createAlice(arena.slack, {
    patienceMs: 20_000,
    tries: 3,
    deliveries: what === "duplicates" ? 6 : 1,
  });
  try {
    if (what === "refusal") return await refusals(target);
    if (what === "reads") return await reads();
    const quarantine = await alice.plan(`quarantine ${target}`, target);
    if (what === "cancel") return await cancel(quarantine);
    await alice.carryThrough(quarantine, /ISOLATED FOR NEW CONNECTIONS/);
    count("quarantined");
    const release = await alice.plan(`release ${quarantine}`, target);
    await alice.carryThrough(release, /Released: /);
    count("released");
  } catch {
    count(`given up: ${what}`);
  } finally {
    for (const remark of alice.remarks) count(remark);
  }
}

async function refusals(target: string): Promise<void> {
  const { slack } = arena;
  await slack.command({ user: "U0BOB", channel: "C0INCIDENT", text: `quarantine ${target}` });
  await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "quarantine kube-system/dns" });
  await slack.command({ user: "U0GUEST", channel: "C0INCIDENT", text: "status" });
  count("refused");
}

async function reads(): Promise<void> {
  for (const text of ["status", "audit since 1h", "whoami"])
    await arena.slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text });
  count("read");
}

async function cancel(operation: string): Promise<void> {
  const { slack } = arena;
  const card = slack.messages("C0INCIDENT").findLast((message) => wordsOf(message).includes(`${operation} asked`));
  if (card !== undefined) await slack.press({ user: "U0ALICE", message: card, button: "np:cancel" });
  count("cancelled");
}

let checking: Promise<void> | undefined;

/** While another look is under way that one counts. Where the store is away nothing can be said. */
async function checkAfterStep(): Promise<void> {
  checking ??= (async () => {
    const found = await check(sources, false).catch(() => undefined);
    count(found === undefined ? "not checked: Redis away" : "checked");
    expect(found ?? [], `seed ${seed}`).toEqual([]);
  })().finally(() => {
    checking = undefined;
  });
  await checking;
}

/** Everybody is alive, nothing is owed or kept elsewhere, and what is still quarantined is released. */
async function comeToRest(): Promise<void> {
  const quiet = { timeoutMs: 90_000, everyMs: 200 };
  const nothingOwed = async () =>
    (await arena.redis.zcard("{bulkhead}:leases").catch(() => 1)) === 0 && (await arena.kept()).operations.length === 0;
  await waitFor(nothingOwed, quiet);
  for (const operation of await stillThere()) {
    const alice = createAlice(arena.slack, { patienceMs: 20_000, tries: 3 });
    const release = await alice.plan(`release ${operation}`, `${namespace}/[-a-z0-9]+`);
    await alice.carryThrough(release, /Released: /);
    count("released at rest");
  }
  await waitFor(nothingOwed, quiet);
  // Entries that were spooled are chained a sweep later.
  await waitFor(async () => (await check(sources, true)).length === 0, quiet).catch(() => undefined);
}

/** Quarantines that have something in the cluster. */
async function stillThere(): Promise<readonly string[]> {
  const operations = await createOperations(arena.redis, { now: Date.now }).list({});
  const marked = [...arena.cluster!.objects("NetworkPolicy", namespace), ...arena.cluster!.objects("Pod", namespace)];
  const ids = new Set(
    marked.flatMap(({ metadata }) => metadata.labels?.[marks.operation] ?? metadata.labels?.[marks.quarantine] ?? []),
  );
  return operations.filter(({ id, kind }) => kind === "quarantine" && ids.has(id)).map(({ id }) => id);
}

function report(): string {
  return [...tally]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `  ${String(times).padStart(5)} ${what}`)
    .join("\n");
}

function inWords(when: string, { rss, heap }: Memory): string {
  return `  memory of a replica, ${when}: ${(rss / megabyte).toFixed(1)} MB resident, ${(heap / megabyte).toFixed(1)} MB of heap used`;
}

/** What a failure is understood by. */
function inTurn(memory: readonly Memory[]): string {
  const megabytes = (bytes: number) => (bytes / megabyte).toFixed(0);
  return `MB resident/held, in turn: ${memory.map(({ rss, heap }) => `${megabytes(rss)}/${megabytes(heap)}`).join(" ")}`;
}
