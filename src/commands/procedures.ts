import { isUnanswered } from "../kubernetes/failure.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation, OperationResult, StepTime } from "../policy/operation.ts";
import type { ContainPlan, LiftPlan, Plan, QuarantinePlan, ReleasePlan } from "../policy/plan.ts";
import { targetName } from "../policy/target.ts";
import { someNames } from "./contain-effects.ts";
import { drawContain } from "./draw-contain.ts";
import { drawQuarantine } from "./draw-quarantine.ts";
import { recordOutcome, storeEnd, unstored } from "./ending.ts";
import { type Contained, findQuarantine } from "./find-quarantine.ts";
import { type Hold, LeaseLost } from "./hold.ts";
import { isolate } from "./isolate.ts";
import { isolateGroup } from "./isolate-group.ts";
import { showLifted } from "./lift.ts";
import { liftObjects } from "./lift-objects.ts";
import { ownNode } from "./plan-sections.ts";
import { drawRelease } from "./release.ts";
import { claimForRelease } from "./releasing.ts";
import { type Restored, restore } from "./restore.ts";
import { type Context, clusterOf, type Services } from "./services.ts";
import { StepFailed } from "./step-failed.ts";
import { whatToDo } from "./unanswered.ts";

/**
 * The operation's plan as it would be drawn now, or why there is none any more. It is about to be written, so it is never
 * drawn from an old cache: KubernetesError is thrown where the cluster cannot be asked (isUnanswered).
 */
export async function redraw(services: Services, operation: Operation): Promise<Plan | Refusal> {
  const { plan } = operation;
  if (plan === undefined) return refusal("it has no plan", "Type the command again.");
  if (plan.kind === "release") {
    const quarantine = await findQuarantine(services, { operation: plan.lifts });
    if (isRefusal(quarantine)) return quarantine;
    const keep = plan.mode === "objects" ? "any" : plan.keep;
    return drawRelease(services, quarantine, { deletePod: plan.mode === "delete", keep, from: "recent" });
  }
  if (plan.kind === "contain") return redrawGroup(services, operation, plan);
  const { target } = plan;
  const pod = await clusterOf(services, target.cluster).cluster.getPod(target.namespace, target.pod);
  if (pod === undefined || pod.uid !== plan.podUid) return refusal("the pod is gone", "Nothing needs to be cut off.");
  const { choices = noChoices } = plan;
  const same = await drawQuarantine(services, operation, pod, { choices, from: "recent", again: plan });
  // What is shown anew is drawn anew.
  return isRefusal(same) || same.hash === plan.hash
    ? same
    : drawQuarantine(services, operation, pod, { choices, from: "recent" });
}

/** Plans of early records say nothing of them. */
const noChoices = { engine: undefined, detach: undefined };

/** As for a pod: what is shown anew is drawn anew. */
async function redrawGroup(
  services: Services,
  operation: Operation,
  plan: ContainPlan,
): Promise<ContainPlan | Refusal> {
  const { choices, target } = plan;
  const same = await drawContain(services, operation, target, { choices, from: "recent", again: plan });
  return isRefusal(same) || same.hash === plan.hash
    ? same
    : drawContain(services, operation, target, { choices, from: "recent" });
}

type Surroundings = Pick<Context, "services" | "outlet">;

/** What a step may use: `done` tells of a step that was taken, `hold.check` says whether the next one may be. */
type Doing = { readonly hold: Hold; done(step: string): Promise<void> };

/**
 * Carries a confirmed operation out, records the outcome, and returns it as stored at its end. Throws LeaseLost where
 * another replica does so: then this one writes and tells nothing more.
 */
export async function carryOut(context: Surroundings, operation: Operation, hold: Hold): Promise<Operation> {
  const steps: StepTime[] = [...operation.steps];
  const done = async (step: string): Promise<void> => {
    steps.push({ step, at: context.services.now() });
    measure(context, operation, steps);
  };
  let end: Ended;
  try {
    end = await act(context, operation, { hold, done });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    end = failed(error);
    context.services.meter({ kind: "error", where: operation.kind, message: String(error) });
  }
  await hold.check();
  const { ok, detail, state, ...result } = end;
  const { headline: summary } = end;
  const audited = await recordOutcome(context.services, operation, { ok, summary, detail: { ...detail, steps } }, hold);
  const ended = { state, steps, result: { ...result, audited } };
  try {
    return await storeEnd(context.services, operation, ended, hold);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    hold.owe();
    return unstored(context.services, { ...operation, ...ended }, error);
  }
}

/** How an operation ended, before its place in the audit is known. */
type Ended = Omit<OperationResult, "audited"> & {
  readonly state: "in-force" | "done" | "failed";
  readonly ok: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
};

async function act(context: Surroundings, operation: Operation, doing: Doing): Promise<Ended> {
  const { plan } = operation;
  if (plan?.kind === "quarantine") return actQuarantine(context, operation, plan, doing);
  if (plan?.kind === "contain") return actContain(context, operation, plan, doing);
  if (plan?.kind === "release") return actRelease(context, operation, plan, doing);
  throw new Error(`operation ${operation.id} has no plan to carry out`);
}

const tones = { isolated: "good", "not-isolated": "bad", unknown: "warning" } as const;

async function actQuarantine(
  { services }: Surroundings,
  operation: Operation,
  plan: QuarantinePlan,
  doing: Doing,
): Promise<Ended> {
  const { cluster } = clusterOf(services, operation.target.cluster);
  const found = await isolate({
    services,
    cluster,
    operation: operation.id,
    principal: operation.principal,
    plan,
    ...doing,
  });
  return {
    state: "in-force",
    ok: true,
    headline: `${found.headline} (${targetName(operation.target)})`,
    tone: tones[found.state],
    lines: [
      ...found.lines.slice(0, 1),
      ...found.residual.map(({ policy, allows }) => `Policy ${policy} still allows: ${allows}`),
      ...found.next,
      ...found.lines.slice(1),
      ownNode,
      ...found.steps,
    ],
    detail: {
      verdict: found.state,
      labelsAfter: found.pod.labels,
      residual: found.residual,
      policy: plan.policy,
      denies: plan.denies ?? [],
      said: found.lines,
    },
  };
}

async function actContain(
  { services }: Surroundings,
  operation: Operation,
  plan: ContainPlan,
  doing: Doing,
): Promise<Ended> {
  const { cluster } = clusterOf(services, operation.target.cluster);
  const found = await isolateGroup({
    services,
    cluster,
    operation: operation.id,
    principal: operation.principal,
    plan,
    ...doing,
  });
  const now = found.pods.length === 0 ? "no pod now" : `${found.pods.length} now: ${someNames(found.pods)}`;
  return {
    state: "in-force",
    ok: true,
    headline: `${found.headline} (${targetName(operation.target)})`.slice(0, 150),
    tone: tones[found.state],
    lines: [
      `Cut off: ${now}.`,
      ...found.lines,
      ...found.residual.map(({ policy, allows }) => `Policy ${policy} still allows: ${allows}`),
      ownNode,
      ...found.steps,
    ],
    detail: {
      verdict: found.state,
      pods: found.pods.map(({ name }) => name),
      residual: found.residual,
      policy: plan.policy,
      denies: plan.denies,
      said: found.lines,
    },
  };
}

async function actRelease(
  context: Surroundings,
  operation: Operation,
  plan: ReleasePlan | LiftPlan,
  doing: Doing,
): Promise<Ended> {
  const { services } = context;
  await doing.hold.check();
  const quarantine = await theQuarantine(services, operation, plan);
  const found = await endIt(services, plan, quarantine.plan, doing);
  const lifted = await lift(context, { quarantine, release: operation.id }, doing.hold);
  return {
    state: "done",
    ok: found.exact,
    headline: `Released: ${targetName(operation.target)}${found.exact ? "" : ", but not exactly"}`,
    tone: found.exact ? "good" : "warning",
    lines: [...found.lines, ...lifted],
    detail: {
      exact: found.exact,
      lines: found.lines,
      mode: plan.mode,
      ...(plan.mode === "objects" ? {} : { labelsAfter: plan.labelsBefore }),
    },
  };
}

function endIt(
  services: Services,
  plan: ReleasePlan | LiftPlan,
  contained: Contained["plan"],
  doing: Doing,
): Promise<Restored> {
  const { cluster } = clusterOf(services, plan.target.cluster);
  if (plan.mode === "objects" && contained.kind === "contain")
    return liftObjects({ cluster, plan, contained, ...doing });
  if (plan.mode !== "objects" && contained.kind === "quarantine")
    return restore({ services, cluster, plan, quarantine: contained, ...doing });
  throw new Error(`the plan of this release is not for what ${plan.lifts} did`);
}

/** A replica that died after it had marked the quarantine as lifted leaves the rest to be done. */
async function theQuarantine(
  services: Services,
  { id }: Operation,
  { lifts }: Pick<ReleasePlan, "lifts">,
): Promise<Contained> {
  const stored = await services.operations.get(lifts);
  const { plan } = stored ?? {};
  if (stored?.liftedBy === id && (plan?.kind === "quarantine" || plan?.kind === "contain")) return { ...stored, plan };
  const found = await claimForRelease(services, id, lifts);
  if (isRefusal(found)) throw new StepFailed(found.reason, found.next);
  return found;
}

/**
 * The cluster holds the truth by now: what cannot be stored is returned as a line for the release's card, is owed, and
 * does not make a failure of it.
 */
async function lift(
  context: Surroundings,
  { quarantine, release }: { readonly quarantine: Operation; readonly release: string },
  hold: Hold,
): Promise<readonly string[]> {
  try {
    await showLifted(context, quarantine, release);
    return [];
  } catch (error) {
    hold.owe();
    context.services.meter({ kind: "error", where: "store lift", message: String(error) });
    return [`That ${quarantine.id} has ended could not be stored (Redis does not answer).`];
  }
}

function failed(error: unknown): Ended {
  const left = error instanceof StepFailed ? error.left : "What was written so far stays: look at /np status.";
  const why = error instanceof Error ? error.message : String(error);
  return {
    state: "failed",
    ok: false,
    headline: `Failed: ${why}`.slice(0, 150),
    tone: "bad",
    lines: [why, left, ...(isUnanswered(error) ? [whatToDo(error)] : [])],
    detail: { error: why, left },
  };
}

function measure({ services }: Surroundings, operation: Operation, steps: readonly StepTime[]): void {
  const last = steps.at(-1);
  if (last === undefined) return;
  services.meter({
    kind: "step",
    verb: operation.kind,
    step: last.step,
    sinceCommandMs: last.at - operation.origin.at,
    sinceConfirmMs: last.at - (operation.confirmed?.at ?? last.at),
  });
}
