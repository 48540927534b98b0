import { decideAccess, type Verb } from "../policy/access.ts";
import { breaksGlass, isExpired, refuseRight } from "../policy/approval.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation, OperationState } from "../policy/operation.ts";
import { endNow, extendByDefault } from "./allowance-press.ts";
import { note, refused, text } from "./answers.ts";
import { approve, deny, withdraw } from "./approve.ts";
import { operationCard } from "./card.ts";
import { chooseWay } from "./choose-way.ts";
import { confirm, retry } from "./confirm.ts";
import { accept, restore } from "./drift-press.ts";
import type { Refused } from "./journal.ts";
import { makePermanent } from "./make-permanent.ts";
import { release } from "./release.ts";
import type { ButtonAction, Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { resumeFlux } from "./resume-flux.ts";
import { refuseUndo } from "./rollback.ts";
import { isRowAction } from "./row-press.ts";
import type { SampledJournal } from "./sampled-journal.ts";
import { seesOperation } from "./sees.ts";
import { amend, attachCard, type Context, LostRace } from "./services.ts";
import { inPress } from "./tracing.ts";
import { verbOf } from "./verb-of.ts";

/** A press, and the way of its refusals into the audit log. */
export type Pressed = Context<Press> & { readonly samples: SampledJournal };

/**
 * A press on a button. The button carried only an id: the operation, whether the card is its card, whether the presser
 * may, and what state it is in are all looked at now. Whoever loses a race looks again.
 */
export async function press(context: Pressed, tries = 3): Promise<Reply> {
  try {
    return await pressOnce(context);
  } catch (error) {
    if (!(error instanceof LostRace) || tries <= 1) throw error;
    return press(context, tries - 1);
  }
}

async function pressOnce(context: Pressed): Promise<Reply> {
  const { services, request } = context;
  const operation = await loadOf(context);
  if (operation === "away") return tell(context, storeAway(request.operation));
  const act = actionOf(request.action);
  if (operation === undefined || act === undefined || !isItsCard(operation, request)) return unknown(context);
  if (!seesOperation(services, request.principal, operation)) return unknown(context);
  const verb = act.verb(operation);
  const no = refusePress(context, operation, act);
  if (no !== undefined) return turnDown(context, operation, verb, no);
  if (!act.states.includes(operation.state)) return pastThat(context, operation, act);
  const attached = await withCard(context, operation);
  const done = await inPress(services, request, attached, () => act.run(context, attached));
  return isRefusal(done) ? turnDown(context, attached, verb, done) : done;
}

/** Whoever begins an operation needs the right wherever it writes, whoever planned it. */
function refusePress({ services, request }: Pressed, operation: Operation, act: Action): Refusal | undefined {
  const { access } = services.settings;
  const verb = act.verb(operation);
  if (act.begins === true) {
    const { plan } = operation;
    return (
      refuseRight(access, request.principal, verb, operation) ??
      (plan?.kind === "undo" ? refuseUndo(services, { principal: request.principal, operation, plan }) : undefined)
    );
  }
  const decision = decideAccess(access, request.principal, verb, operation.target);
  return decision.allowed ? undefined : refusal(decision.reason, lookAtWhoami);
}

const lookAtWhoami = "Type /np whoami to see what you may do.";

async function withCard({ services, request }: Pressed, operation: Operation): Promise<Operation> {
  if (operation.card !== undefined) return operation;
  const attached = (await attachCard(services, operation, request.card)) ?? operation;
  // Attaching read the operation anew: another press may have been first meanwhile.
  if (attached.state !== operation.state) throw new LostRace(operation.id);
  return attached;
}

/** What was decided about an approval stays decided, and whoever tried otherwise is in the log. */
async function pastThat(context: Pressed, operation: Operation, { votes }: Action): Promise<Reply> {
  const reply = tooLate(operation, context.services.now());
  if (votes === true) {
    const why = `nothing is to be approved there: ${reply.headline}`;
    await context.samples.refused(context.request, { ...aboutOf(operation), verb: "approve", why });
  }
  return tell(context, reply);
}

/** Known where Redis answers, or where the operation is kept in the cluster. */
async function loadOf({ services, request }: Context<Press>): Promise<Operation | undefined | "away"> {
  try {
    return await services.operations.get(request.operation);
  } catch (error) {
    services.meter({ kind: "error", where: "press", message: String(error) });
    return "away";
  }
}

function storeAway(operation: string): Reply {
  return note(
    "Nothing was done: Redis does not answer",
    [
      text(`What ${operation} was about lies in Redis, and nothing is written that Bulkhead cannot read first.`),
      text("To cut a pod off, type the command again: it is kept in the cluster then, and its buttons work."),
      text("To end a quarantine, type /np release with its id or its pod: the answer has the kubectl lines for it."),
    ],
    "failed",
  );
}

function actionOf(action: string): Action | undefined {
  return Object.hasOwn(actions, action) ? actions[action as ButtonAction] : undefined;
}

/** For metrics: of a closed set, whatever was sent as the action. */
export function pressName(action: string): string {
  return actionOf(action) === undefined && !isRowAction(action) ? "press unknown" : `press ${action}`;
}

type Action = {
  readonly verb: (operation: Operation) => Verb;
  /** States in which the press has a meaning; in others it is too late. */
  readonly states: readonly OperationState[];
  readonly run: (context: Pressed, operation: Operation) => Promise<Reply | Refusal>;
  /** It decides about an approval. */
  readonly votes?: true;
  /** What the plan says is written by it. */
  readonly begins?: true;
};

const actions: Record<ButtonAction, Action> = {
  confirm: { verb: rightToBegin, states: ["planned"], run: confirm, begins: true },
  // An action of its own, so that a double click on the first button never counts as the second confirmation.
  "confirm-again": { verb: rightToBegin, states: ["awaiting-second"], run: confirm, begins: true },
  cancel: {
    verb: ({ kind }) => verbOf(kind),
    states: ["planned", "awaiting-second", "awaiting-approval"],
    run: cancel,
  },
  approve: { verb: () => "approve", states: ["awaiting-approval"], run: approve, votes: true },
  deny: { verb: () => "approve", states: ["awaiting-approval"], run: deny, votes: true },
  release: { verb: () => "release", states: ["in-force", "failed"], run: planRelease },
  retry: { verb: rightToBegin, states: ["failed"], run: retryConfirmed, begins: true },
  keep: { verb: ({ kind }) => verbOf(kind), states: ["in-force"], run: keep },
  extend: { verb: () => "allow", states: ["in-force"], run: allowancesOnly(extendByDefault) },
  end: { verb: () => "allow", states: ["in-force", "failed"], run: allowancesOnly(endNow) },
  permanent: { verb: () => "allow", states: ["in-force", "done"], run: allowancesOnly(makePermanent) },
  restore: { verb: ({ kind }) => verbOf(kind), states: ["in-force"], run: restore, begins: true },
  accept: { verb: ({ kind }) => verbOf(kind), states: ["in-force"], run: accept },
  "undo-later": { verb: () => "rollback", states: ["planned"], run: chooseWay("later-too") },
  "undo-merge": { verb: () => "rollback", states: ["planned"], run: chooseWay("merge") },
  "resume-flux": {
    verb: () => "rollback",
    states: ["done", "failed"],
    run: (context, operation) => resumeFlux(context, operation, ""),
  },
  show: {
    verb: () => "status",
    states: [
      "accepted",
      "planned",
      "awaiting-second",
      "awaiting-approval",
      "running",
      "in-force",
      "done",
      "refused",
      "cancelled",
      "failed",
    ],
    run: (context, operation) => showCard(context, operation),
  },
};

/** Whoever acts without the approval that others would have to give needs a right of its own. */
function rightToBegin({ kind, plan }: Operation): Verb {
  return breaksGlass(plan) ? "break-glass" : verbOf(kind);
}

/** No card of anything else has these buttons: the press is forged. */
function allowancesOnly(run: Action["run"]): Action["run"] {
  return async (context, operation) =>
    operation.kind === "allowance" ? run(context, operation) : tell(context, unknownButton());
}

/** What was never confirmed has no plan that a person agreed to. */
async function retryConfirmed(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  if (operation.confirmed === undefined) return tell(context, tooLate(operation, context.services.now()));
  if (operation.kind === "undo") return plannedAnew;
  // What cuts off is finished whenever somebody comes to it; what opens was agreed to for then.
  if (operation.kind === "allowance" && isExpired(operation, context.services.now())) return agreedForThen(operation);
  return retry(context, operation);
}

const plannedAnew = refusal(
  "what is left of it is planned anew, by what is there now",
  "Type the command again; or /np rollback with its id, to take back what it wrote.",
);

function agreedForThen({ origin }: Operation): Refusal {
  return refusal("its approval was for then, and has expired", `To ask again, type it again: /np ${origin.command}`);
}

/** Where the stored card is known, a button on another message is not its button. */
function isItsCard({ card }: Operation, request: Press): boolean {
  if (card === undefined || request.card === undefined) return true;
  return card.channel === request.card.channel && card.ts === request.card.ts;
}

async function cancel(context: Context<Press>, operation: Operation): Promise<Reply | Refusal> {
  if (operation.state === "awaiting-approval") return withdraw(context, operation);
  const stored = await amend(context.services, operation.id, (now) => {
    if (now.state !== operation.state) throw new LostRace(now.id);
    return { ...now, state: "cancelled" };
  });
  return showCard(context, stored);
}

/** The same as typing `/np release q-…`, with a delivery of its own. */
function planRelease({ services, request, outlet }: Context<Press>, operation: Operation): Promise<Reply> {
  const { action: _action, operation: _operation, card: _card, ...rest } = request;
  const asked = { ...rest, text: `release ${operation.id}` };
  return release(
    { services, request: asked, outlet },
    {
      kind: "release",
      what: { operation: operation.id },
      deletePod: false,
      keep: "any",
      dryRun: false,
      incident: undefined,
      reason: "",
    },
  );
}

/**
 * Asks again after the same time; release stays a person's decision. Where nothing is asked, as by a second delivery of
 * one press, nothing is put off.
 */
async function keep(context: Context<Press>, operation: Operation): Promise<Reply> {
  const { services } = context;
  const stored = await amend(services, operation.id, (now) => {
    if (now.reviewAskedAt === undefined) return now;
    const { reviewAskedAt: _asked, reviewAt: _passed, ...rest } = now;
    const { reviewEveryMs } = rest;
    return reviewEveryMs === undefined ? rest : { ...rest, reviewAt: services.now() + reviewEveryMs };
  });
  return showCard(context, stored);
}

async function showCard({ services, request, outlet }: Context<Press>, operation: Operation): Promise<Reply> {
  const reply = operationCard(operation, services.now());
  await outlet.show(reply, operation.card ?? request.card);
  return reply;
}

async function turnDown(context: Pressed, operation: Operation, verb: Verb, no: Refusal): Promise<Reply> {
  const { request, samples } = context;
  await samples.refused(request, { ...aboutOf(operation), verb, why: no.reason });
  return tell(context, refused(`${request.action} ${operation.id}`, no));
}

function aboutOf({ target, incident }: Operation): Pick<Refused, "cluster" | "namespace" | "incident"> {
  return { cluster: target.cluster, namespace: target.namespace, incident };
}

async function tell({ outlet }: Context<Press>, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}

/** Whoever has no right in the operation's namespace gets the answer, and the entry, for one that is not there. */
async function unknown(context: Pressed): Promise<Reply> {
  const why = "the button's operation is not known, has another card, or is where the person has no right";
  await context.samples.refused(context.request, { verb: "press", why });
  return tell(context, unknownButton());
}

function unknownButton(): Reply {
  return note(
    "This button does nothing for you",
    [
      text(
        "Its operation is not known, has another card, or is in a namespace where you have no right. Look at /np status and /np whoami.",
      ),
    ],
    "refused",
  );
}

/** Somebody was first, or it has ended: the answer is how it stands. */
function tooLate(operation: Operation, now: number): Reply {
  const card = operationCard(operation, now);
  return {
    ...card,
    shape: "note",
    buttons: [],
    sections: [text("It is past that already; this is how it stands."), ...card.sections],
  };
}
