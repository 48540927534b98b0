import { createHash } from "node:crypto";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { Place } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { CardReference } from "../policy/operation.ts";
import type { CanaryRecord, PoolFinding } from "../scheduler/enforcement.ts";
import { refused } from "./answers.ts";
import { canaryImage, whyNoCanary } from "./canary-ground.ts";
import { type CanaryPlan, canarySelector } from "./canary-objects.ts";
import { type Pool, poolsOf } from "./canary-pools.ts";
import { finishedReply, headlineOf, workingReply } from "./canary-reply.ts";
import { type PoolRun, runCanary } from "./canary-run.ts";
import { longestMs } from "./canary-stages.ts";
import { sweepCanary } from "./canary-sweep.ts";
import { wholeCluster } from "./clusters.ts";
import type { Command } from "./command.ts";
import { recordRefusal, standing } from "./journal.ts";
import type { Reply } from "./reply.ts";
import { type Context, clusterOf } from "./services.ts";

type VerifyCommand = Extract<Command, { kind: "verify-enforcement" }>;

/** The right is needed in the canary's namespace: that is where pods are started. */
export function locateVerify(
  context: Context,
  command: VerifyCommand,
): { readonly place: Place; readonly command: VerifyCommand } | Refusal {
  const cluster = wholeCluster(context, "verify-enforcement", command.cluster);
  if (typeof cluster === "object") return cluster;
  const { namespace } = context.services.settings.canary;
  return { place: { cluster, namespace }, command: { ...command, cluster } };
}

/** Everything that is settled before anything is written. */
type Ready = {
  readonly context: Context;
  readonly cluster: Cluster;
  readonly plan: CanaryPlan;
  readonly pools: readonly Pool[];
  readonly untested: readonly PoolFinding[];
};

/**
 * Whether the cluster enforces NetworkPolicy, found out by pods that connect to each other in each node pool. Intent and
 * outcome are in the audit; the result is kept for whoever asks later. One run in a cluster at a time.
 */
export async function verifyEnforcement(context: Context, command: VerifyCommand): Promise<Reply> {
  const { services, request, outlet } = context;
  if (command.cluster === undefined) throw new Error("nobody said which cluster is meant");
  const ready = await prepare(context, command.cluster);
  const claimed = isRefusal(ready) ? ready : await claim(ready);
  if (!isRefusal(claimed)) return claimed;
  const { namespace } = services.settings.canary;
  await recordRefusal(services, request, {
    verb: command.kind,
    cluster: command.cluster,
    namespace,
    why: claimed.reason,
  });
  const reply = refused(command.kind, claimed);
  await outlet.show(reply, undefined);
  return reply;
}

async function prepare(context: Context, name: string): Promise<Ready | Refusal> {
  const { services, request } = context;
  const { canary } = services.settings;
  const { cluster } = clusterOf(services, name);
  const missing = await whyNoCanary(cluster, canary.namespace);
  if (missing !== undefined) return missing;
  const image = await canaryImage(services);
  if (typeof image !== "string") return image;
  const { startMs, effectMs, tolerateTaints, namespace } = canary;
  // A third more than a policy may take: the bot has to hear of the stage before, and write.
  const limits = { startMs, effectMs, stageMs: Math.ceil((effectMs * 4) / 3) };
  const plan = { run: runId(request.delivery), namespace, image, tolerateTaints, limits };
  return { context, cluster, plan, ...poolsOf(await cluster.canary.nodes(), canary) };
}

/** Like an operation's id; the same delivery has the same. */
function runId(delivery: string): string {
  return `v-${createHash("sha256").update(`canary\n${delivery}`).digest("hex").slice(0, 7)}`;
}

/** Runs with the cluster's claim, or says why there is none to have. */
async function claim(ready: Ready): Promise<Reply | Refusal> {
  const { context, cluster, plan } = ready;
  const { canaries } = context.services;
  if (canaries === undefined) {
    return refusal(
      "a run needs Redis, so that no two are under way at once and the result is kept; this terminal reaches none",
      "Type it in Slack, or set REDIS_URL.",
    );
  }
  const withinMs = longestMs(plan.limits) + 3 * goneMs;
  if (!(await canaries.begin(cluster.name, plan.run, withinMs))) {
    return refusal(
      `another run is under way in cluster ${cluster.name}`,
      `Wait for its answer; should it never come, its claim ends within ${formatDuration(withinMs)}.`,
    );
  }
  try {
    return await carryOut(ready);
  } finally {
    await canaries.end(cluster.name, plan.run).catch((error: unknown) => note(ready, "end canary", error));
  }
}

async function carryOut(ready: Ready): Promise<Reply> {
  const { context, cluster, plan, pools, untested } = ready;
  const { services, outlet } = context;
  await services.audit.append({
    ...entryOf(ready, "intent"),
    summary: `to be found out whether cluster ${cluster.name} enforces NetworkPolicy, in ${pools.length} node pools`,
    detail: { image: plan.image, pools: pools.map(({ name }) => name) },
  });
  const screen = createScreen(ready);
  const first = await outlet.show(workingReply(cluster.name, []), undefined);
  // Whatever is there was left by a run that did not end: there is no other one now.
  const { namespace } = plan;
  await sweepCanary(services, cluster, { namespace, withinMs: 0, selector: canarySelector() });
  const found = await runCanary({ services, cluster, plan, onProgress: screen.show(first.card) }, pools);
  const left = await sweepCanary(services, cluster, {
    namespace,
    withinMs: goneMs,
    selector: canarySelector(plan.run),
  });
  await screen.idle();
  const findings = [...found, ...untested];
  const reply = await finish(ready, findings.length === 0 ? [noNodes] : findings, left);
  await outlet.show(reply, first.card);
  return reply;
}

const noNodes: PoolFinding = { pool: "all nodes", state: "untested", because: "the cluster has no nodes" };

/** How long the end of the deleted pods is waited for: a kubelet may take its time. */
const goneMs = 30_000;

/** Keeps and audits what was found; neither takes the answer away. */
async function finish(ready: Ready, findings: readonly PoolFinding[], left: readonly string[]): Promise<Reply> {
  const { context, cluster, plan } = ready;
  const { services } = context;
  const { keepMs, namespace } = services.settings.canary;
  const record: CanaryRecord = { version: 1, run: plan.run, at: services.now(), findings };
  const keeping = services.canaries?.keep(cluster.name, record, keepMs);
  const kept = await keeping?.catch((error: unknown) => note(ready, "keep canary", error));
  const summary = headlineOf(cluster.name, record);
  const detail = { findings, left };
  const ok = findings.every(({ state }) => state === "enforced");
  const audited = await services.audit
    .append({ ...entryOf(ready, "outcome"), ok, summary, detail }, { spool: true })
    .then(standing, (error: unknown) => `audit: NOT stored (${String(error)})`);
  const keptMs = kept === true ? keepMs : undefined;
  return finishedReply({ cluster: cluster.name, record, left, namespace, keptMs, audited });
}

function entryOf({ context, cluster, plan }: Ready, kind: "intent" | "outcome") {
  const { services, request } = context;
  return {
    id: `${plan.run}:${kind}`,
    kind,
    at: new Date(services.now()).toISOString(),
    operation: plan.run,
    verb: "verify-enforcement",
    cluster: cluster.name,
    namespace: plan.namespace,
    actor: request.principal,
    where: { source: request.source, ...(request.channel === undefined ? {} : { channel: request.channel }) },
    command: request.text.slice(0, 1_000),
    replica: services.replica,
  } as const;
}

function note({ context }: Ready, where: string, error: unknown): false {
  context.services.meter({ kind: "error", where, message: String(error) });
  return false;
}

/** The least time between two states of the card. */
const everyMs = 2_000;

/** Shows how far it is, one update at a time; without a card nothing, since each would be one more message. */
function createScreen({ context, cluster }: Ready) {
  const { services, outlet } = context;
  let shownAt = services.now();
  let showing: Promise<unknown> | undefined;
  return {
    show: (card: CardReference | undefined) => (runs: readonly PoolRun[]) => {
      if (card === undefined || showing !== undefined || services.now() - shownAt < everyMs) return;
      shownAt = services.now();
      showing = outlet.show(workingReply(cluster.name, runs), card).finally(() => {
        showing = undefined;
      });
    },
    idle: async () => void (await showing),
  };
}
