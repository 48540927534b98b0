import type { PodState } from "../kubernetes/canary-pods.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { PoolFinding } from "../scheduler/enforcement.ts";
import {
  type CanaryPlan,
  canaryPodName,
  canarySelector,
  clientPod,
  denyPolicy,
  type NumberedPool,
  serverPod,
} from "./canary-objects.ts";
import type { Pool } from "./canary-pools.ts";
import { type Act, advance, type Direction, isOverdue, nextAct, type Progress } from "./canary-stages.ts";
import type { Services } from "./services.ts";

/** One pool on its way; it has a finding when it is through. */
export type PoolRun = NumberedPool & { readonly progress: Progress; readonly finding?: PoolFinding };

export type CanaryRun = {
  readonly services: Pick<Services, "now" | "wait">;
  readonly cluster: Cluster;
  readonly plan: CanaryPlan;
  /** Called after each look at the pods. */
  readonly onProgress: (runs: readonly PoolRun[]) => void;
};

/**
 * Takes all pools through the test, side by side, and returns what was found of each. What it made is left for the caller
 * to sweep. Never rejects: what fails is a pool that could not be tested.
 */
export async function runCanary(run: CanaryRun, pools: readonly Pool[]): Promise<readonly PoolFinding[]> {
  const { services, plan } = run;
  let runs = await Promise.all(pools.map((pool, number) => begin(run, { pool, number })));
  while (runs.some(({ finding }) => finding === undefined)) {
    run.onProgress(runs);
    await services.wait(Math.min(1_000, Math.ceil(plan.limits.effectMs / 30)));
    runs = await look(run, runs);
  }
  return runs.flatMap(({ finding }) => (finding === undefined ? [] : [finding]));
}

async function begin({ cluster, plan, services }: CanaryRun, numbered: NumberedPool): Promise<PoolRun> {
  const progress: Progress = { phase: "server", since: services.now(), deniedAt: 0 };
  return unlessFailed({ ...numbered, progress }, async () => {
    await cluster.canary.createPod(serverPod(plan, numbered));
    return { ...numbered, progress: { ...progress, since: services.now() } };
  });
}

async function look(run: CanaryRun, runs: readonly PoolRun[]): Promise<PoolRun[]> {
  const { cluster, plan, services } = run;
  let pods: readonly PodState[];
  try {
    pods = await cluster.canary.podStates(plan.namespace, canarySelector(plan.run));
  } catch (error) {
    return runs.map((one) => (isOverdue(one.progress, services.now(), plan.limits) ? ended(one, failure(error)) : one));
  }
  return Promise.all(runs.map((one) => step(run, one, pods)));
}

async function step(run: CanaryRun, one: PoolRun, pods: readonly PodState[]): Promise<PoolRun> {
  const { plan, services } = run;
  if (one.finding !== undefined) return one;
  const named = (role: "server" | "client"): PodState | undefined =>
    pods.find(({ name, terminating }) => name === canaryPodName(plan, one.number, role) && !terminating);
  const seen = { server: named("server"), client: named("client") };
  const act = nextAct(one.progress, seen, services.now(), plan.limits);
  return unlessFailed(one, async () => {
    if (act.kind === "end")
      return ended(one, await judged(run, one, { ...act, because: `${act.because}${onNodes(seen)}` }));
    await perform(run, one, act);
    return { ...one, progress: advance(one.progress, act, services.now()) };
  });
}

async function perform({ cluster, plan }: CanaryRun, one: PoolRun, act: Act): Promise<void> {
  if (act.kind === "start-client") return cluster.canary.createPod(clientPod(plan, one, act.host));
  if (act.kind === "deny") await cluster.createObject(denyPolicy(plan, one.number, act.direction));
  if (act.kind === "allow") await remove(cluster, denyPolicy(plan, one.number, act.direction), act.direction);
}

/** That nothing was denied is said only while the policy that denies it is there: something else may have taken it away. */
async function judged({ cluster, plan }: CanaryRun, { number, progress }: PoolRun, found: Ended): Promise<Ended> {
  const { phase } = progress;
  if (found.state !== "not-enforced" || (phase !== "ingress" && phase !== "egress")) return found;
  if ((await cluster.getObject(denyPolicy(plan, number, phase))) !== undefined) return found;
  return { state: "untested", because: `something else deleted the policy that denies ${phase}` };
}

/** By the version that is there: nobody else writes it. */
async function remove(cluster: Cluster, policy: Manifest, direction: Direction): Promise<void> {
  const { uid, resourceVersion } = (await cluster.getObject(policy))?.metadata ?? {};
  if (uid === undefined || resourceVersion === undefined) {
    throw new Error(`the policy that denies ${direction} was gone before the test took it away`);
  }
  await cluster.deleteObject(policy, { uid, resourceVersion });
}

async function unlessFailed(one: PoolRun, work: () => Promise<PoolRun>): Promise<PoolRun> {
  try {
    return await work();
  } catch (error) {
    return ended(one, failure(error));
  }
}

type Ended = Pick<PoolFinding, "state" | "because">;

function failure(error: unknown): Ended {
  return { state: "untested", because: error instanceof Error ? error.message : String(error) };
}

function ended(one: PoolRun, { state, because }: Ended): PoolRun {
  return one.finding === undefined ? { ...one, finding: { pool: one.pool.name, state, because } } : one;
}

function onNodes({ server, client }: { server: PodState | undefined; client: PodState | undefined }): string {
  const nodes = new Set([server?.node, client?.node].filter((node) => node !== undefined));
  return nodes.size === 0 ? "" : ` (on ${[...nodes].join(" and ")})`;
}
