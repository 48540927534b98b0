import type { Connection } from "../../src/kubernetes/connection.ts";
import { type Recording, recordNamespace } from "../cluster/recording.ts";
import { waitFor } from "../wait.ts";
import { type Alice, createAlice } from "./alice.ts";
import { wordsOf } from "./answers.ts";
import { type Arena, type ArenaOptions, type Replica, startArena } from "./arena.ts";
import type { Sources } from "./evidence.ts";
import { check } from "./invariants.ts";
import { stepOf } from "./steps.ts";
import type { Call, Fault } from "./tap.ts";

/** Two replicas, a namespace with one pod in it, and alice, who quarantines the pod and releases it again. */
export type Lane = {
  readonly arena: Arena;
  readonly first: Replica;
  readonly second: Replica;
  /** One quarantine and its release, with what is to happen to their writes. */
  cycle(plan: Plan): Promise<Cycle>;
  close(): Promise<void>;
};

export type Plan = {
  /** Kills the replica that makes this write for the n-th time (from 1) in the cycle, before or after it took effect. */
  readonly kill?: { readonly step: string; readonly nth: number; readonly when: "before" | "after" };
  /** Who goes on: the same replica, started again, or another one that was alive all the time. */
  readonly by: "restart" | "other";
};

export type Cycle = {
  /** Names of the writes, in the order in which they came. */
  readonly steps: readonly string[];
  /** Whether it came to the kill. */
  readonly killed: boolean;
  /** What alice had to do beyond typing and confirming. */
  readonly remarks: readonly string[];
  /** What should not have been; empty where all is well. */
  readonly problems: readonly string[];
};

const pod = (namespace: string, name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: { app: name, team: "core" } },
  spec: { containers: [{ name: "main", image: "none.invalid/main" }], automountServiceAccountToken: false },
});

/** One policy for each pod, so that a pod without any is an open one. */
const theirPolicy = (namespace: string, app: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: `for-${app}`, namespace },
  spec: { podSelector: { matchLabels: { app } }, policyTypes: ["Ingress", "Egress"] },
});

/** A replica is taken for gone after 6 s, and starting one takes a while on a busy machine. */
const takeoverWithinMs = 40_000;

export async function startLane(namespace: string, options: ArenaOptions): Promise<Lane> {
  const arena = await startArena(options);
  const [first, second] = [await arena.addReplica(), await arena.addReplica()];
  await prepare(arena.admin, namespace, "worker");
  const recording = await recordNamespace(arena.admin, namespace, 3_600);
  const sources = sourcesOf(arena, namespace, recording);
  const told = new Set<string>();
  return {
    arena,
    first,
    second,
    cycle: async (plan) => {
      await (plan.by === "restart" ? second.kill() : undefined);
      for (const replica of plan.by === "restart" ? [first] : [first, second])
        if (replica.bot() === undefined) await replica.start();
      const cycle = await runCycle({ arena, sources, namespace, plan });
      // What broke once stays in the evidence: it is told of the cycle that broke it.
      const problems = cycle.problems.filter((problem) => !told.has(problem));
      for (const problem of problems) told.add(problem);
      return { ...cycle, problems };
    },
    async close() {
      try {
        await recording.stop();
      } finally {
        await arena.close();
      }
    },
  };
}

/** Creates the pod, and a policy of somebody else's that selects it. */
export async function prepare(admin: Connection, namespace: string, name: string): Promise<void> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  await admin.request("POST", path, { body: theirPolicy(namespace, name) });
  await admin.request("POST", `/api/v1/namespaces/${namespace}/pods`, { body: pod(namespace, name) });
}

export function sourcesOf(arena: Arena, namespace: string, recording: Recording): Sources {
  const { admin, redis, writes, kept } = arena;
  return { admin, redis, namespaces: [namespace], writes, kept, recordings: [recording] };
}

type Run = {
  readonly arena: Arena;
  readonly sources: Sources;
  readonly namespace: string;
  readonly plan: Plan;
};

async function runCycle({ arena, sources, namespace, plan }: Run): Promise<Cycle> {
  const problems: string[] = [];
  const extra: string[] = [];
  const armed = arm(arena.replicas, plan.kill);
  const alice = createAlice(arena.slack, {
    patienceMs: takeoverWithinMs,
    tries: 2,
    meanwhile: () => startAgain(arena, plan),
  });
  try {
    const quarantine = await alice.plan(`quarantine ${namespace}/worker`, `${namespace}/worker`);
    await alice.carryThrough(quarantine, /ISOLATED FOR NEW CONNECTIONS/);
    problems.push(...(await atRest(arena, sources, plan)));
    const release = await alice.plan(`release ${quarantine}`, `${namespace}/worker`);
    await alice.carryThrough(release, /Released: /);
    problems.push(...(await atRest(arena, sources, plan)));
    problems.push(...untrue(alice, quarantine, { truth: /Released by/, plan }));
    problems.push(...untrue(alice, release, { truth: /Released: /, plan }));
    const lost = [quarantine, release].filter((one) => alice.cards(one).length > 1);
    extra.push(...lost.map((one) => `${alice.cards(one).length} cards`));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    for (const { kube, redis } of arena.replicas) for (const proxy of [kube, redis]) proxy.decide(undefined);
  }
  return { steps: armed.steps, killed: armed.killed(), remarks: [...alice.remarks, ...extra], problems };
}

async function startAgain({ replicas: [first] }: Arena, { by }: Plan): Promise<void> {
  if (by === "restart" && first?.bot() === undefined) await first?.start();
}

/** Names the operations' writes over all proxies, and kills whoever makes the one that was asked for. */
function arm(replicas: readonly Replica[], kill: Plan["kill"]) {
  const steps: string[] = [];
  let killed = false;
  const decide =
    (replica: Replica) =>
    (call: Call): Fault | undefined => {
      const step = stepOf(call);
      if (step === undefined) return undefined;
      steps.push(step);
      if (killed || step !== kill?.step || steps.filter((one) => one === step).length !== kill.nth) return undefined;
      killed = true;
      const strike = () => replica.kill();
      return kill.when === "before" ? { before: strike, instead: "reset" } : { after: strike, answer: "reset" };
    };
  for (const replica of replicas) for (const proxy of [replica.kube, replica.redis]) proxy.decide(decide(replica));
  return { steps, killed: () => killed };
}

/**
 * Waits until nothing is owed any more and what was spooled is chained, which takes a sweep of 15 s; then every
 * invariant has to hold.
 */
async function atRest(arena: Arena, sources: Sources, plan: Plan): Promise<readonly string[]> {
  let found: readonly string[] = ["nothing was looked at"];
  const rested = async () => {
    await startAgain(arena, plan);
    const held = await arena.redis.zcard("{bulkhead}:leases").catch(() => 1);
    const broken = (error: unknown) => [`nothing could be read: ${String(error)}`];
    found = held === 0 ? await check(sources, true).catch(broken) : ["an operation is still held though all is done"];
    return found.length === 0;
  };
  await waitFor(rested, { timeoutMs: 45_000, everyMs: 100 }).catch(() => undefined);
  return found;
}

/**
 * What the operation's cards say though it is not so. A replica that dies between posting a card and noting where it lies
 * leaves a card that nobody knows of: its buttons do nothing, and another one tells the truth.
 */
function untrue(alice: Alice, operation: string, { truth, plan }: { readonly truth: RegExp; readonly plan: Plan }) {
  const cards = alice.cards(operation).map(wordsOf);
  const wrong = cards.filter((words) => !truth.test(words));
  const mayBeLost =
    plan.kill?.step.endsWith("planned with its card") === true && cards.length === 2 && wrong.length === 1;
  return mayBeLost ? [] : wrong.map((words) => `a card of ${operation} says: ${words.slice(0, 120)}`);
}
