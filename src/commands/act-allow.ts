import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import type { Manifest } from "../policy/manifest.ts";
import { containing, marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { AllowanceRecord, Operation } from "../policy/operation.ts";
import type { AllowPlan } from "../policy/plan.ts";
import { selectorQuery } from "../policy/selector.ts";
import { compile } from "../simulator/compile.ts";
import { containedEnds, withoutPods } from "./allow-contained.ts";
import { stillBlocked } from "./allow-paths.ts";
import { clock } from "./allow-words.ts";
import { setTimers } from "./allowance-timers.ts";
import { readView } from "./cluster-view.ts";
import { createObjects, namesOf, removeObjects } from "./deny-objects.ts";
import { judgedBy, stateOf } from "./detection.ts";
import type { Doing, Ended, Surroundings } from "./ending.ts";
import { LeaseLost } from "./hold.ts";
import { mismatchAmong } from "./is-as-written.ts";
import { clusterOf, type Services } from "./services.ts";
import { StepFailed } from "./step-failed.ts";
import { tracingOf } from "./tracing.ts";

/** What opens does not begin late: a replica that takes it over after that gives it up. */
const beginsWithinMs = 60_000;

/** Opens the path: its timers first, then its objects, then a look at what is open by that. */
export async function actAllow(
  { services }: Surroundings,
  operation: Operation,
  plan: AllowPlan,
  doing: Doing,
): Promise<Ended> {
  const { cluster } = clusterOf(services, plan.target.cluster);
  const there = await storedOf(cluster, plan.objects);
  const begins = { cluster, operation: operation.id, plan, doing };
  if (there.includes(undefined) && isLate(services, operation, plan)) await giveUp(begins);
  const endings = plan.objects.map(({ metadata: { namespace, name } }) => ({
    namespace,
    name,
    operation: operation.id,
  }));
  await setTimers(services, cluster, endings, plan.ttlSeconds * 1_000);
  await doing.done("timer set");
  await writeAll({ cluster, operation: operation.id, plan: withCard(plan, operation), doing });
  await doing.done("policy written");
  const stored = await storedOf(cluster, plan.objects);
  const allowance = recordOf(operation, plan, stored);
  const verifying = () => readBack(services, operation, plan, stored);
  const found = await tracingOf(services).span("verify", {}, verifying);
  await doing.done("read back");
  if (found.state === "contained") await takeBack({ cluster, operation: operation.id, plan, doing }, found.lines);
  return endedAs(plan, allowance, found);
}

/** The time counts from the creation of each object, so that a late one would be open when nobody expects it. */
function isLate(services: Services, { confirmed, allowance }: Operation, { ttlSeconds }: AllowPlan): boolean {
  const within = Math.min(beginsWithinMs, ttlSeconds * 1_000);
  const isOver = allowance?.ended !== undefined;
  return confirmed === undefined || isOver || services.now() - confirmed.at > within;
}

/** What was written of it in time is half a path, and is taken back. */
async function giveUp({ cluster, operation, plan, doing }: Writing): Promise<never> {
  const left = await removeObjects({ cluster, operation, hold: doing.hold }, plan.objects);
  throw new StepFailed(
    "it was confirmed too long ago to begin now",
    left.length === 0
      ? "Nothing of it is in the cluster: type the command again."
      : `${namesOf(left)} is still there, and ends by itself with its time: /np end ${operation}`,
  );
}

/** So that its end can be shown where its record is lost. */
function withCard(plan: AllowPlan, { card }: Operation): AllowPlan {
  if (card === undefined) return plan;
  const mark = { [marks.card]: `${card.channel} ${card.ts}` };
  const objects = plan.objects.map((object) => {
    const { annotations, ...metadata } = object.metadata;
    return { ...object, metadata: { ...metadata, annotations: { ...annotations, ...mark } } };
  });
  return { ...plan, objects };
}

function storedOf(cluster: Cluster, objects: readonly NetworkPolicy[]): Promise<readonly (Manifest | undefined)[]> {
  return Promise.all(objects.map((object) => cluster.getObject(object)));
}

type Writing = {
  readonly cluster: Cluster;
  readonly operation: string;
  readonly plan: AllowPlan;
  readonly doing: Doing;
};

/** All of them or none: half a path serves nobody. What cannot be taken back ends by itself. */
async function writeAll({ cluster, operation, plan, doing }: Writing): Promise<void> {
  const written: Manifest[] = [];
  const { hold } = doing;
  try {
    await createObjects({ cluster, operation, hold }, plan.objects, (object) => void written.push(object));
  } catch (error) {
    if (written.length === 0 || error instanceof LeaseLost) throw error;
    // All of them: the last may have been written though its answer was lost.
    const left = await removeObjects({ cluster, operation, hold }, plan.objects).catch(() => written);
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailed(
      why,
      left.length === 0
        ? "What was written before it was taken back."
        : `${namesOf(left)} could not be taken back, and ends by itself with its time; /np end ${operation} tries again.`,
    );
  }
}

/** Containment wins (invariant 13). */
async function takeBack({ cluster, operation, plan, doing }: Writing, [why = ""]: readonly string[]): Promise<never> {
  const left = await removeObjects({ cluster, operation, hold: doing.hold }, plan.objects);
  throw new StepFailed(
    why,
    left.length === 0 ? "What was opened is closed again." : `${namesOf(left)} is still there: /np end ${operation}`,
  );
}

/** Its end is that of the object that was created first. */
function recordOf(operation: Operation, plan: AllowPlan, stored: readonly (Manifest | undefined)[]): AllowanceRecord {
  const { ttlSeconds, maxSeconds } = plan;
  const ends = stored.flatMap((object) => (object === undefined ? [] : (knownAllowance(object)?.endsAt ?? [])));
  const base = operation.allowance ?? { ttlSeconds, maxSeconds };
  return ends.length === 0 ? base : { ...base, endsAt: Math.min(...ends) };
}

/** `contained`: somebody cut an end off at the same time, and may not have seen what opens it. */
type Found = {
  readonly state: "open" | "closed" | "undecided" | "unknown" | "contained";
  readonly lines: readonly string[];
};

/** From fresh lists: the objects as they are stored, and whether all policies together let the path through. */
async function readBack(
  services: Services,
  { principal }: Operation,
  plan: AllowPlan,
  stored: readonly (Manifest | undefined)[],
): Promise<Found> {
  const { cluster: name, namespace } = plan.target;
  const { cluster } = clusterOf(services, name);
  const facts = await cluster.facts(namespace, "fresh");
  const view = await readView(services, name, { namespace, facts }, { nodes: [], principal });
  const cutOff = containedEnds(
    plan.openings,
    await cluster.listPolicies(selectorQuery(containing)),
    view.snapshot.pods,
  );
  // First of all: whoever cut it off may have taken some of it away already.
  if (cutOff !== undefined) return { state: "contained", lines: [cutOff.reason] };
  const mismatch = mismatchAmong(plan.objects, stored);
  if (mismatch !== undefined) return { state: "closed", lines: [mismatch] };
  const isOwn = new Set(plan.objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  const others = view.snapshot.policies.filter(({ metadata }) => !isOwn.has(`${metadata.namespace}/${metadata.name}`));
  const snapshot = { ...view.snapshot, policies: [...others, ...plan.objects] };
  const blocked = stillBlocked(compile(snapshot, judgedBy(view.detection)), plan.openings);
  if (blocked.denied.length > 0) return { state: "closed", lines: blocked.denied };
  const undecided = [...blocked.undecided, ...withoutPods(plan.openings, view.snapshot.pods)];
  if (undecided.length > 0) return { state: "undecided", lines: undecided };
  const { state, because } = stateOf(view.detection, "networkpolicy");
  if (state !== "enforced")
    return { state: "unknown", lines: [`Whether policies are enforced here is not known: ${because}`] };
  return { state: "open", lines: [] };
}

function endedAs(plan: AllowPlan, allowance: AllowanceRecord, { state, lines }: Found): Ended {
  const until = allowance.endsAt === undefined ? "" : ` until ${clock(allowance.endsAt)}`;
  const what = `${plan.template.name} in ${plan.target.namespace}`;
  const headlines = {
    open: `OPEN${until}: ${what}`,
    closed: `WRITTEN, BUT STILL CLOSED${until}: ${what}`,
    contained: `CLOSED AGAIN: ${what}`,
    undecided: `WRITTEN, NOT CERTAIN TO BE OPEN${until}: ${what}`,
    unknown: `OPEN BY ALL POLICIES${until}: ${what}`,
  };
  return {
    state: "in-force",
    ok: true,
    headline: headlines[state].slice(0, 150),
    tone: state === "open" ? "good" : state === "closed" || state === "contained" ? "bad" : "warning",
    lines: [...lines, ...plan.opens],
    detail: {
      verdict: state,
      policies: plan.objects,
      opens: plan.opens,
      ttlSeconds: allowance.ttlSeconds,
      endsAt: allowance.endsAt,
      said: lines,
    },
    allowance,
  };
}
