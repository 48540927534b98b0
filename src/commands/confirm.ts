import { isUnanswered } from "../kubernetes/failure.ts";
import { isRefusal } from "../policy/guard.ts";
import type { Operation, OperationResult } from "../policy/operation.ts";
import type { Plan } from "../policy/plan.ts";
import { principalName } from "../policy/principal.ts";
import { targetName } from "../policy/target.ts";
import type { Lease } from "../scheduler/leases.ts";
import type { Held } from "../scheduler/operations.ts";
import { mustRead, refused, text } from "./answers.ts";
import { notKnown } from "./ask-again.ts";
import { operationCard } from "./card.ts";
import { type Hold, LeaseLost, owing } from "./hold.ts";
import { record } from "./journal.ts";
import { overLimit } from "./over-limit.ts";
import { carryOut } from "./procedures.ts";
import { redraw } from "./redraw.ts";
import { isBeingReleased, releaseOf } from "./releasing.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { amend, type Context, keepCard, LostRace, store, storeAndHold } from "./services.ts";
import { planStays } from "./unanswered.ts";

/**
 * Confirm: the plan is drawn again, and only if it is still the one that was shown is it carried out. The change of
 * state is a compare-and-set, so of several presses at once one goes on.
 */
export async function confirm(context: Context<Press>, operation: Operation): Promise<Reply> {
  const { services } = context;
  const plan = await redraw(services, operation).catch((error: unknown) => {
    if (isUnanswered(error)) return error;
    throw error;
  });
  if (plan instanceof Error) return tell(context, planStays(plan));
  if (isRefusal(plan)) return end(context, operation, { headline: `Refused: ${plan.reason}`, lines: [plan.next] });
  if (plan.hash !== operation.plan?.hash) return showAgain(context, operation, plan);
  if (plan.confirmations === 2 && operation.state === "planned") {
    return show(context, await store(services, { ...operation, state: "awaiting-second" }), secondQuestion(plan));
  }
  const full = await overLimit(context, operation);
  if (full !== undefined) return tell(context, refused(`confirm ${operation.id}`, full));
  return begin(context, { ...operation, plan });
}

/**
 * What failed is tried again with the plan that was confirmed: every step does only what is missing. It is still the
 * same action, so that no limit counts it again.
 */
export async function retry(context: Context<Press>, operation: Operation): Promise<Reply> {
  const release = await releaseOf(context.services, operation);
  if (release !== undefined) return tell(context, isBeingReleased(operation, release));
  const { result: _result, ...rest } = operation;
  return begin(context, rest);
}

async function begin(context: Context<Press>, operation: Operation): Promise<Reply> {
  const { principal: by, at } = context.request;
  const attempt = (operation.confirmed?.attempt ?? 0) + 1;
  let held: Held;
  try {
    held = await storeAndHold(context.services, {
      ...operation,
      state: "running",
      confirmed: { by, at, attempt },
      steps: [...operation.steps, { step: attempt === 1 ? "confirmed" : "tried again", at }],
    });
  } catch (error) {
    if (error instanceof LostRace) throw error;
    context.services.meter({ kind: "error", where: "store confirmation", message: String(error) });
    return tell(context, notKnown(operation));
  }
  return owing(context, held, (holding, hold) => run(holding, held.operation, hold));
}

/** What a confirmed operation needs of its surroundings: a press, or a replica that takes it over. */
export type Running = Pick<Context<Press>, "services" | "outlet"> & { readonly request: Pick<Press, "card"> };

async function tell({ outlet }: Pick<Context, "outlet">, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}

/** Intent first (invariant 1): no write before it is durable. */
export async function run(context: Running, operation: Operation, hold: Hold): Promise<Reply> {
  const { services } = context;
  const { plan, confirmed } = operation;
  if (confirmed === undefined) throw new Error(`operation ${operation.id} runs and nobody has confirmed it`);
  try {
    await hold.check();
    await record(services, operation, {
      kind: "intent",
      actor: confirmed.by,
      summary: `${operation.kind} ${targetName(operation.target)} confirmed by ${principalName(confirmed.by)}`,
      detail: {
        plan,
        ...(plan?.kind === "quarantine" ? { labelsBefore: plan.labelsBefore, snapshotHash: plan.snapshotHash } : {}),
      },
    });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    services.meter({ kind: "error", where: "audit intent", message: String(error) });
    return notBegun(context, operation, hold);
  }
  return show(context, await carryOutShowing(context, operation, hold), undefined);
}

const unrecorded = {
  headline: "Not done: the audit log could not be written",
  lines: [
    "Bulkhead writes nothing that it could not record first (Redis does not answer). Nothing was changed.",
    "Type the command again in a moment, or use bulkhead from a terminal with your own kubeconfig.",
  ],
};

/** Where not even that can be stored, whoever takes the operation over decides whether it begins. */
async function notBegun(context: Running, operation: Operation, hold: Hold): Promise<Reply> {
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
async function carryOutShowing(context: Running, operation: Operation, hold: Hold): Promise<Operation> {
  const working = show(context, operation, undefined).catch((error: unknown) => {
    context.services.meter({ kind: "error", where: "show work", message: String(error) });
  });
  try {
    return await carryOut(context, operation, hold);
  } finally {
    await working;
  }
}

async function showAgain(context: Context<Press>, operation: Operation, plan: Plan): Promise<Reply> {
  const stored = await store(context.services, { ...operation, plan, state: "planned" });
  return show(
    context,
    stored,
    "The cluster changed since this plan was shown, so nothing was done. This is the plan now.",
  );
}

function secondQuestion(plan: Plan): string {
  if (plan.kind === "contain") return "This cuts off a whole namespace. Confirm once more to go on.";
  const owner = plan.kind === "quarantine" ? plan.controller?.kind : undefined;
  if (plan.kind === "quarantine" && (plan.exclusions ?? []).length > 0) {
    return "This changes a policy that is not Bulkhead's, as shown. Confirm once more to go on.";
  }
  return `This pod belongs to a ${owner ?? "workload"} that cannot simply replace it. Confirm once more to go on.`;
}

async function end(
  context: Running,
  operation: Operation,
  { headline, lines }: Pick<OperationResult, "headline" | "lines">,
  lease?: Lease,
): Promise<Reply> {
  const result = { headline, tone: "bad", lines, audited: "" } as const;
  const failed = (now: Operation): Operation => {
    if (now.state !== operation.state) throw new LostRace(now.id);
    return { ...now, state: "failed", result };
  };
  return show(context, await amend(context.services, operation.id, failed, { lease }), undefined);
}

async function show(
  { services, outlet, request }: Running,
  operation: Operation,
  remark: string | undefined,
): Promise<Reply> {
  const card = operationCard(operation, services.now());
  const reply = remark === undefined ? card : { ...card, sections: [mustRead(text(remark)), ...card.sections] };
  const place = operation.card ?? request.card;
  const { card: shown } = await outlet.show(reply, place);
  if (shown !== undefined && shown.ts !== place?.ts) await keepCard(services, operation, shown);
  return reply;
}
