import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHistory, type History } from "../../src/history/history.ts";
import { type Image, imageOf, type Revision, sameImage, specHash } from "../../src/policy/revision.ts";
import { waitFor } from "../wait.ts";
import { type Arena, type Replica, startArena } from "./arena.ts";
import { isImageOf, isRevision, type PolicyTruth, type TrueStep, watchTruth } from "./policy-truth.ts";
import { createKubectlWriters, createWriters, type PolicyWriters } from "./policy-writers.ts";
import { createRandom, type Random } from "./random.ts";
import { type RealCluster, useRealCluster } from "./real-cluster.ts";

/**
 * 300 policies are made, changed, relabelled, deleted and made again by several field managers, on the control plane of
 * KUBECONFIG or else the sandbox's, while two bots are killed and started again, their watches are cut, and answered that
 * what they ask for is too old. HISTORY_SEED repeats what is done, not when.
 */
const seed = Number(process.env["HISTORY_SEED"] ?? randomBytes(4).readUInt32BE());
const policies = 300;
const byKubectl = 30;
const namespace = `history-${randomBytes(3).toString("hex")}`;
/** How long a bot may take until it has seen and told what it was not hindered from. */
const tellsWithinMs = 4_000;

let arena: Arena;
let real: RealCluster | undefined;
let truth: PolicyTruth;
let history: History;
let folder: string;

beforeAll(async () => {
  real = await useRealCluster([namespace]);
  folder = await mkdtemp(join(tmpdir(), "bulkhead-history-"));
  const objects = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
  arena = await startArena(real === undefined ? { objects } : { kubernetes: real.kubernetes });
  truth = await watchTruth(arena.admin, namespace, 600);
  history = createHistory(arena.redis, { keepMs: 86_400_000, perPolicy: 50 });
  for (const replica of [await arena.addReplica(), await arena.addReplica()]) await replica.start();
}, 180_000);

afterAll(async () => {
  await truth.stop();
  await arena.close();
  await real?.remove();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

/** When a replica could not see or tell, milliseconds since the epoch. */
type Window = { readonly replica: Replica; readonly from: number; to: number };

test("Every final state is known, no revision is false, and what a live replica saw is there", async () => {
  process.stdout.write(`HISTORY_SEED=${seed}\n`);
  // They may still be listing.
  const windows: Window[] = arena.replicas.map((replica) => ({ replica, from: 0, to: Date.now() + 3_000 }));
  const stopping = new AbortController();
  const trouble = disturb(arena.replicas, { windows, random: createRandom(seed), stopping: stopping.signal });
  await writeAll();
  stopping.abort();
  await trouble;
  await unwatched(windows);
  await waitFor(isKnown, { timeoutMs: 90_000, everyMs: 500 });

  const found = await history.list({ cluster: "chaos", namespace, limit: 100_000 });
  const steps = truth.steps();
  expect(found.flatMap((revision) => falsehoods(revision, steps))).toEqual([]);
  const seen = steps.filter(isRevision).filter(({ at }) => wasLive(at, windows));
  const told = new Set(found.filter(({ gap }) => !gap).map(nameOf));
  expect(seen.filter((step) => !told.has(nameOf({ ...step, change: changeOf(step) })))).toEqual([]);
  report({ steps, found, seen });
  expect(seen.length).toBeGreaterThan(steps.length / 20);
  expect(found.some(({ gap }) => gap)).toBe(true);
}, 280_000);

/** A few workers, each with policies of its own, so that nobody gets in another's way. */
async function writeAll(): Promise<void> {
  const straight = createWriters(arena.admin, namespace, createRandom(seed + 1));
  const kubectl = real === undefined ? straight : createKubectlWriters(namespace, folder, createRandom(seed + 2));
  const names = Array.from({ length: policies }, (_, index) => `policy-${index}`);
  const work = (mine: readonly string[], writers: PolicyWriters, pauseMs: number) =>
    writeSome(mine, writers, { random: createRandom(seed + mine.length), pauseMs });
  const others = names.slice(byKubectl);
  const part = Math.ceil(others.length / 5);
  await Promise.all([
    work(names.slice(0, byKubectl), kubectl, 0),
    ...[0, 1, 2, 3, 4].map((index) => work(others.slice(index * part, (index + 1) * part), straight, 120)),
  ]);
}

type Pace = { readonly random: Random; readonly pauseMs: number };

async function writeSome(names: readonly string[], writers: PolicyWriters, { random, pauseMs }: Pace): Promise<void> {
  for (const name of names) {
    await writers.create(name);
    await delay(random.between(0, pauseMs));
  }
  for (const name of [...names, ...names]) {
    await writers[random.pick(["change", "change", "relabel"] as const)](name);
    await delay(random.between(0, 2 * pauseMs));
    if (random.chance(0.4)) await writers.change(name);
    if (!random.chance(0.2)) continue;
    await writers.remove(name);
    if (random.chance(0.2)) await delay(pauseMs);
    await writers.create(name);
  }
  for (const name of names) if (random.chance(0.15)) await writers.remove(name);
}

type Trouble = { readonly windows: Window[]; readonly random: Random; readonly stopping: AbortSignal };

/** One replica after the other, and now and then both at once. */
async function disturb(replicas: readonly Replica[], { windows, random, stopping }: Trouble): Promise<void> {
  const kinds = [killed, cutOff, tooOld];
  for (let turn = 0; !stopping.aborted; turn += 1) {
    const all = random.chance(0.15) ? replicas : [replicas[turn % replicas.length]!];
    const kind = random.pick(kinds);
    await Promise.all(all.map((replica) => during(windows, replica, () => kind(replica, random.between(100, 1_500)))));
    await delay(random.between(0, 1_000));
  }
}

async function during(windows: Window[], replica: Replica, work: () => Promise<void>): Promise<void> {
  const window = { replica, from: Date.now(), to: Number.POSITIVE_INFINITY };
  windows.push(window);
  await work();
  // Its watch comes back after a pause, and lists.
  await delay(3_000);
  window.to = Date.now();
}

async function killed(replica: Replica, forMs: number): Promise<void> {
  await replica.kill();
  await delay(forMs);
  await replica.start();
}

async function cutOff(replica: Replica): Promise<void> {
  replica.kube.cut();
}

async function tooOld(replica: Replica, forMs: number): Promise<void> {
  replica.kube.decide(({ what }) =>
    what.includes("/networkpolicies?") && what.includes("watch=") ? { instead: 410 } : undefined,
  );
  replica.kube.cut();
  await delay(forMs);
  replica.kube.decide(undefined);
}

/** Changes that no replica is there to see: several of one policy, deletions, and another of the same name. */
async function unwatched(windows: Window[]): Promise<void> {
  const writers = createWriters(arena.admin, namespace, createRandom(seed + 3));
  const there = (await truth.current()).map(({ metadata }) => metadata.name).slice(0, 60);
  const away = arena.replicas.map((replica) => ({ replica, from: Date.now(), to: Number.POSITIVE_INFINITY }));
  windows.push(...away);
  await Promise.all(arena.replicas.map((replica) => replica.kill()));
  for (const [index, name] of there.entries()) {
    await writers.change(name);
    await writers.change(name);
    if (index % 3 === 0) await writers.remove(name);
    if (index % 6 === 0) await writers.create(name);
  }
  for (const replica of arena.replicas) await replica.start();
}

/** What is there is what the history says is there, to the byte. */
async function isKnown(): Promise<boolean> {
  const current = await truth.current();
  const all = await history.known("chaos").catch(() => new Map());
  const known = new Map(
    [...all.values()].filter(({ key }) => key.namespace === namespace).map((one) => [one.key.name, one]),
  );
  return (
    known.size === current.length &&
    current.every((object) => {
      const one = known.get(object.metadata.name);
      const { uid, resourceVersion } = object.metadata;
      return one?.uid === uid && one?.resourceVersion === resourceVersion && sameImage(one?.image, imageOf(object));
    })
  );
}

/** What is wrong with it, as sentences. */
function falsehoods(revision: Revision, steps: readonly TrueStep[]): readonly string[] {
  const { id, name, uid, change, gap, before, after, resourceVersion } = revision;
  const ofUid = steps.filter((step) => step.uid === uid);
  const isDeleted = change === "deleted";
  const step = ofUid.find((one) => one.resourceVersion === resourceVersion && (one.after === undefined) === isDeleted);
  const [isBefore, isAfter] = [isImageOf(before, step?.before), isImageOf(after, step?.after)];
  const rules: readonly (readonly [what: string, holds: boolean])[] = [
    ["it changes nothing", before === undefined || after === undefined || specHash(before) !== specHash(after)],
    ["it was never stored so", isDeleted || isAfter],
    ["it was not deleted", !isDeleted || ofUid.some((one) => one.after === undefined)],
    ["it was never so before", before === undefined || wasSo(before, ofUid, resourceVersion)],
    ["steps are missing, and no gap is said", gap || (isBefore && isAfter)],
  ];
  const broken = rules.filter(([, holds]) => !holds);
  return broken.map(([what]) => `${id} ${change} ${name} ${uid} at ${resourceVersion}: ${what}`);
}

function wasSo(image: Image, steps: readonly TrueStep[], before: string): boolean {
  return steps.some((step) => Number(step.resourceVersion) < Number(before) && isImageOf(image, step.after));
}

/** Whether a replica could see what happened then, and tell it. */
function wasLive(at: number, windows: readonly Window[]): boolean {
  return arena.replicas.some((replica) =>
    windows.every((one) => one.replica !== replica || at + tellsWithinMs < one.from || at > one.to),
  );
}

function changeOf({ before, after }: TrueStep): Revision["change"] {
  if (after === undefined) return "deleted";
  return before === undefined ? "created" : "changed";
}

/** A deletion by its uid: who finds it in a list does not know its version. */
function nameOf({ uid, resourceVersion, change }: Pick<Revision, "uid" | "resourceVersion" | "change">): string {
  return `${uid} ${change === "deleted" ? change : resourceVersion}`;
}

type Counts = {
  readonly steps: readonly TrueStep[];
  readonly found: readonly Revision[];
  readonly seen: readonly TrueStep[];
};

function report({ steps, found, seen }: Counts): void {
  const revisions = steps.filter(isRevision).length;
  const gaps = found.filter(({ gap }) => gap).length;
  process.stdout.write(
    `${policies} policies on ${real === undefined ? "the sandbox" : "the real control plane"}: ${steps.length} steps, ` +
      `${revisions} revisions, ${seen.length} of them with a live replica; recorded: ${found.length}, ${gaps} with a gap\n`,
  );
}
