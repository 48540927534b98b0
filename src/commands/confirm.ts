import { isUnanswered, type KubernetesError } from "../kubernetes/failure.ts";
import { approvalsFor, approvedBy, breaksGlass } from "../policy/approval.ts";
import { approversOf } from "../policy/approvers.ts";
import { debtOf } from "../policy/debt.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Confirmation, Operation, OperationResult } from "../policy/operation.ts";
import type { Plan } from "../policy/plan.ts";
import { type Principal, principalName } from "../policy/principal.ts";
import type { Lease } from "../scheduler/leases.ts";
import type { Held } from "../scheduler/operations.ts";
import { notKnown } from "./ask-again.ts";
import { requestApproval } from "./ask-approval.ts";
import { callPeople } from "./call.ts";
import { type Hold, LeaseLost, owing } from "./hold.ts";
import { record } from "./journal.ts";
import { overLimit } from "./over-limit.ts";
import { carryOut } from "./procedures.ts";
import { redraw } from "./redraw.ts";
import { isBeingReleased, releaseOf } from "./releasing.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { amend, type Context, LostRace, type Services, store, storeAndHold } from "./services.ts";
import { type Showing, showCard } from "./show-card.ts";
import { subjectOf } from "./subject.ts";
import { planStays } from "./unanswered.ts";
import { recordVotes } from "./votes.ts";

/**
 * Confirm: the plan is drawn again, and only if it is still the one that was shown is it carried out, or are those asked
 * whose agreement it needs. The change of state is a compare-and-set, so of several presses at once one goes on.
 */
export async function confirm(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  const { services, request } = context;
  const plan = await redrawn(services, operation);
  if (plan instanceof Error) return tell(context, planStays(plan));
  if (isRefusal(plan)) return end(context, operation, { headline: `Refused: ${plan.reason}`, lines: [plan.next] });
  if (plan.hash !== operation.plan?.hash || isBlind(operation, request)) return showAgain(context, operation, plan);
  if (isUnchosen(plan)) return unchosen;
  if (plan.confirmations === 2 && operation.state === "planned") {
    return showCard(context, await store(services, { ...operation, state: "awaiting-second" }), secondQuestion(plan));
  }
  const agreement = approvalsFor(plan);
  if (agreement.needed > 0) return requestApproval(context, { ...operation, plan }, agreement);
  const full = await overLimit(context, operation, { by: request.principal, button: "Confirm" });
  return full ?? begin(context, { ...operation, plan }, request.principal);
}

const unchosen = refusal(
  "it is to be said first how: the policy was changed again after that",
  "Choose one of the ways on its card, or type the command with --later-too or --merge.",
);

/** Nothing is to be written before a person says how it is to be undone. */
function isUnchosen(plan: Plan): boolean {
  return plan.kind === "undo" && plan.writes.length === 0;
}

/** An error where the cluster does not answer. */
async function redrawn(services: Services, operation: Operation): Promise<Plan | Refusal | KubernetesError> {
  try {
    return await redraw(services, operation);
  } catch (error) {
    if (isUnanswered(error)) return error;
    throw error;
  }
}

/**
 * What failed is tried again with the plan that was confirmed: every step does only what is missing. It is still the
 * same action, so that no limit counts it again. What opens something is looked at again as by Confirm (invariant 8).
 */
export async function retry(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  const { services } = context;
  const release = await releaseOf(services, operation);
  if (release !== undefined) return tell(context, isBeingReleased(operation, release));
  if (operation.plan?.kind === "allow") {
    const plan = await redrawn(services, operation);
    if (plan instanceof Error) return tell(context, planStays(plan, "Try again"));
    if (isRefusal(plan)) return plan;
    if (plan.hash !== operation.plan.hash) return changedSince;
  }
  const { result: _result, ...rest } = operation;
  return begin(context, rest, context.request.principal);
}

const changedSince = refusal(
  "the plan is not the one any more that was confirmed",
  "Type the command again: it is planned anew, and whoever has to agree is asked.",
);

/** Stores that the work begins, in whose name, and does it. Throws LostRace where somebody else was first. */
export async function begin(context: Context<Press>, operation: Operation, by: Principal): Promise<Reply> {
  const { at } = context.request;
  const attempt = (operation.confirmed?.attempt ?? 0) + 1;
  const debt = operation.debt ?? debtOf(operation.plan, at);
  let held: Held;
  try {
    held = await storeAndHold(context.services, {
      ...operation,
      state: "running",
      confirmed: { by, at, attempt },
      ...(debt === undefined ? {} : { debt }),
      steps: [...operation.steps, { step: attempt === 1 ? "confirmed" : "tried again", at }],
    });
  } catch (error) {
    if (error instanceof LostRace) throw error;
    context.services.meter({ kind: "error", where: "store confirmation", message: String(error) });
    return tell(context, notKnown(operation));
  }
  const called = attempt === 1 ? callReviewers(context, held.operation) : undefined;
  try {
    return await owing(context, held, (holding, hold) => run(holding, held.operation, hold));
  } finally {
    await called;
  }
}

/** Nobody was asked before, so all who could have been are told at once. */
async function callReviewers(context: Context<Press>, operation: Operation): Promise<void> {
  const { plan, id, reason, principal } = operation;
  if (!breaksGlass(plan)) return;
  await callPeople(context, operation, {
    headline: `Break-glass: ${subjectOf(operation)}`,
    lines: [
      `${principalName(principal)} acts without the approval of others: ${reason}`,
      `Another person has to look at it: /np review ${id} and what you found.`,
    ],
    mentions: approversOf(context.services.settings.access, operation),
  }).catch((error: unknown) => {
    context.services.meter({ kind: "error", where: "call reviewers", message: String(error) });
  });
}

async function tell({ outlet }: Pick<Context, "outlet">, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}

/** Intent first (invariant 1): no write before it is durable. */
export async function run(context: Showing, operation: Operation, hold: Hold): Promise<Reply> {
  const { services } = context;
  const { plan, confirmed } = operation;
  if (confirmed === undefined) throw new Error(`operation ${operation.id} runs and nobody has confirmed it`);
  try {
    await hold.check();
    await recordVotes(services, operation);
    await record(services, operation, {
      kind: "intent",
      actor: confirmed.by,
      summary: intentWords(operation, confirmed),
      detail: {
        plan,
        ...(operation.approval === undefined ? {} : { approval: operation.approval }),
        ...(plan?.kind === "quarantine" ? { labelsBefore: plan.labelsBefore, snapshotHash: plan.snapshotHash } : {}),
      },
    });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    services.meter({ kind: "error", where: "audit intent", message: String(error) });
    return notBegun(context, operation, hold);
  }
  return showCard(context, await carryOutShowing(context, operation, hold));
}

function intentWords(operation: Operation, { by }: Confirmation): string {
  const { kind, plan } = operation;
  const approved = approvedBy(operation);
  const alone = breaksGlass(plan) ? ", break-glass" : "";
  const how = approved === undefined ? "confirmed by" : "asked for by";
  return `${kind} ${subjectOf(operation)} ${how} ${principalName(by)}${approved === undefined ? alone : `, ${approved}`}`;
}

const unrecorded = {
  headline: "Not done: the audit log could not be written",
  lines: [
    "Bulkhead writes nothing that it could not record first (Redis does not answer). Nothing was changed.",
    "Type the command again in a moment, or use bulkhead from a terminal with your own kubeconfig.",
  ],
};

/** Where not even that can be stored, whoever takes the operation over decides whether it begins. */
async function notBegun(context: Showing, operation: Operation, hold: Hold): Promise<Reply> {
  try {
    return await end(context, operation, unrecorded, hold.lease);
  } catch (error) {
    if (error instanceof LostRace) throw error;
    context.services.meter({ kind: "error", where: "store failure", message: String(error) });
    hold.owe();
    return tell(context, notKnown(operation));
  }
}

/** The end is not shown before the card that says that it works, nor where another replica shows it. */
async function carryOutShowing(context: Showing, operation: Operation, hold: Hold): Promise<Operation> {
  const working = showCard(context, operation).catch((error: unknown) => {
    context.services.meter({ kind: "error", where: "show work", message: String(error) });
  });
  try {
    return await carryOut(context, operation, hold);
  } finally {
    await working;
  }
}

async function showAgain(context: Context<Press>, operation: Operation, plan: Plan): Promise<Reply> {
  const isNew = plan.hash !== operation.plan?.hash;
  const steps = isNew ? [...operation.steps, { step: shownAgain, at: context.services.now() }] : operation.steps;
  const stored = await store(context.services, { ...operation, plan, steps, state: "planned" });
  return showCard(
    context,
    stored,
    "The cluster changed since this plan was shown, so nothing was done. This is the plan now.",
  );
}

const shownAgain = "shown again";
const readWithinMs = 1_000;
/** Replicas whose clocks are further apart than this are not told from each other: nothing waits for them. */
const skewMs = 10_000;

/** The second click of two, or one of somebody else at the same time: whoever pressed cannot have read the plan as it is now. */
function isBlind({ steps }: Operation, { at }: Pick<Press, "at">): boolean {
  const shown = steps.findLast(({ step }) => step === shownAgain);
  const sinceMs = shown === undefined ? Number.POSITIVE_INFINITY : at - shown.at;
  return sinceMs < readWithinMs && sinceMs > -skewMs;
}

const wideQuestion = "Its template opens much at once. Confirm once more to go on.";

const breakGlassQuestion =
  "This opens it without anybody's agreement. Everybody who could have approved it is called now, and it stays on /np status as needing a review until another person signs it. Confirm once more to go on.";

const undoQuestion =
  "This writes policies of several names, or of the whole cluster, or where a guard rail is overridden, as shown. Confirm once more to go on.";

function secondQuestion(plan: Plan): string {
  if (breaksGlass(plan)) return breakGlassQuestion;
  if (plan.kind === "allow") return wideQuestion;
  if (plan.kind === "contain") return "This cuts off a whole namespace. Confirm once more to go on.";
  if (plan.kind === "undo") return undoQuestion;
  const owner = plan.kind === "quarantine" ? plan.controller?.kind : undefined;
  if (plan.kind === "quarantine" && (plan.exclusions ?? []).length > 0) {
    return "This changes a policy that is not Bulkhead's, as shown. Confirm once more to go on.";
  }
  return `This pod belongs to a ${owner ?? "workload"} that cannot simply replace it. Confirm once more to go on.`;
}

async function end(
  context: Showing,
  operation: Operation,
  { headline, lines }: Pick<OperationResult, "headline" | "lines">,
  lease?: Lease,
): Promise<Reply> {
  const result = { headline, tone: "bad", lines, audited: "" } as const;
  const failed = (now: Operation): Operation => {
    if (now.state !== operation.state) throw new LostRace(now.id);
    return { ...now, state: "failed", result };
  };
  return showCard(context, await amend(context.services, operation.id, failed, { lease }));
}
