import { isUnanswered } from "../kubernetes/failure.ts";
import { isExpired, refuseRepeated, refuseRight, refuseVoter } from "../policy/approval.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Approval, ApprovalEnd, Operation } from "../policy/operation.ts";
import { personKey } from "../policy/people.ts";
import type { Plan } from "../policy/plan.ts";
import { planChanges } from "../policy/plan-changes.ts";
import { principalName } from "../policy/principal.ts";
import { callPeople } from "./call.ts";
import { begin } from "./confirm.ts";
import { endRequest } from "./end-request.ts";
import { owing } from "./hold.ts";
import { overLimit } from "./over-limit.ts";
import { redraw } from "./redraw.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { refuseUndo } from "./rollback.ts";
import { type Context, type Services, storeAndHold } from "./services.ts";
import { showCard } from "./show-card.ts";
import { planStays } from "./unanswered.ts";
import { verbOf } from "./verb-of.ts";
import { owedVotes } from "./votes.ts";

type Asked = Operation & { readonly approval: Approval; readonly plan: Plan };

/**
 * One person agrees. Looked at now: who presses, whether the request still stands, and whether the plan drawn again is
 * the one that was asked about; else the request is void. Storing is a compare-and-set, so that of two at once both
 * count, and the one that completes the number begins the work, once. Throws LostRace.
 */
export async function approve(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  const { services, request } = context;
  const { access } = services.settings;
  const no = refuseVoter(access, request.principal, operation) ?? refuseRepeated(access, request.principal, operation);
  if (no !== undefined) return no;
  const asked = askedOf(operation);
  if (isExpired(asked, services.now())) return tooOld(context, asked);
  const drawn = await redraw(services, asked).catch((error: unknown) => {
    if (isUnanswered(error)) return error;
    throw error;
  });
  if (drawn instanceof Error) return tell(context, planStays(drawn, "Approve"));
  const why = whyVoid(context, asked, drawn);
  if (why !== undefined || isRefusal(drawn)) {
    return endRequest(context, asked, { as: "void", at: services.now(), why: why ?? [] });
  }
  const { approval } = asked;
  const given = [...approval.given, { by: request.principal, at: services.now() }];
  const agreed = { ...asked, plan: drawn, approval: { ...approval, given } };
  return given.length < approval.needed ? keep(context, agreed) : complete(context, agreed);
}

/** One person, of those who could approve, does not agree: that ends the request. */
export async function deny(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  const { services, request } = context;
  const { principal: by } = request;
  const no = refuseVoter(services.settings.access, by, operation);
  if (no !== undefined) return no;
  const asked = askedOf(operation);
  if (isExpired(asked, services.now())) return tooOld(context, asked);
  return endRequest(context, asked, { as: "denied", by, at: services.now(), why: [] });
}

/** Whoever asked wants it no more. */
export async function withdraw(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  const { services, request } = context;
  const { principal: by } = request;
  const { people } = services.settings.access;
  if (personKey(people, by) !== personKey(people, operation.principal)) {
    return refusal(
      `only ${principalName(operation.principal)}, who asked for it, can cancel it`,
      "Whoever may approve it can press Deny.",
    );
  }
  return endRequest(context, operation, { as: "withdrawn", by, at: services.now(), why: [] });
}

/** Where nobody was in time: for the sweep, and for whoever comes too late. */
export function expiry({ approval }: Asked | Operation, at: number): ApprovalEnd {
  const until = approval === undefined ? "" : ` until ${new Date(approval.expiresAt).toISOString()}`;
  return {
    as: "expired",
    at,
    why: [`It could be approved${until}; ${approval?.given.length ?? 0} of ${approval?.needed ?? 0} did.`],
  };
}

function askedOf(operation: Operation): Asked {
  const { approval, plan } = operation;
  if (approval === undefined || plan === undefined) throw new Error(`operation ${operation.id} has nothing to approve`);
  return { ...operation, approval, plan };
}

async function tooOld(context: Context<Press>, asked: Asked): Promise<Refusal> {
  await endRequest(context, asked, expiry(asked, context.services.now()));
  return refusal(
    `the request expired at ${new Date(asked.approval.expiresAt).toISOString()}`,
    `To ask again, type it again: /np ${asked.origin.command}`,
  );
}

/** Undefined where it is still what was asked about, and still whoever asked may do it. */
function whyVoid({ services }: Context<Press>, asked: Asked, drawn: Plan | Refusal): readonly string[] | undefined {
  if (isRefusal(drawn)) return [`It would be refused now: ${drawn.reason}.`];
  const right = refuseRight(services.settings.access, asked.principal, verbOf(asked.kind), asked);
  const no = right ?? refuseWhatItDoes(services, asked, drawn);
  if (no !== undefined) return [`${principalName(asked.principal)} may not do it any more: ${no.reason}.`];
  return drawn.hash === asked.approval.planHash ? undefined : planChanges(asked.plan, drawn);
}

/** What a rollback opens needs its right too, and that may have been taken away while it waited. */
function refuseWhatItDoes(services: Services, asked: Asked, drawn: Plan): Refusal | undefined {
  if (drawn.kind !== "undo") return undefined;
  return refuseUndo(services, { principal: asked.principal, operation: asked, plan: drawn });
}

async function keep(context: Context<Press>, agreed: Asked): Promise<Reply> {
  const held = await storeAndHold(context.services, agreed);
  return owing(context, held, async (holding, hold) => {
    await owedVotes(holding.services, held.operation, hold);
    return showCard(holding, held.operation);
  });
}

/** The last one that was needed: from here it goes on as after Confirm, in the name of whoever asked. */
async function complete(context: Context<Press>, agreed: Asked): Promise<Reply | Refusal> {
  const { principal } = agreed;
  const full = await overLimit(context, agreed, { by: principal, button: "Approve" });
  if (full !== undefined) return full;
  const reply = await begin(context, agreed, principal);
  if (principal.kind === "slack") {
    await callPeople(context, agreed, {
      headline: `Approved: ${reply.headline}`,
      lines: [],
      mentions: [`slack:${principal.team}/${principal.user}`],
    });
  }
  return reply;
}

async function tell({ outlet }: Context<Press>, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
