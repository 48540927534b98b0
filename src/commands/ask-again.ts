import { isRefusal, type Refusal } from "../policy/guard.ts";
import type { Approval, Operation } from "../policy/operation.ts";
import type { Plan } from "../policy/plan.ts";
import { planChanges } from "../policy/plan-changes.ts";
import { mustRead, note, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import { endedResult } from "./end-request.ts";
import type { Hold } from "./hold.ts";
import { entryId } from "./journal.ts";
import { redraw } from "./redraw.ts";
import type { Reply } from "./reply.ts";
import { LostRace, type Services } from "./services.ts";

/** A confirmation of what widens is good for so long, where its intent did not reach the chain. */
const freshMs = 60_000;

/**
 * A release or an allowance that was confirmed and has no intent in the chain has not begun. It goes on only at once and with the plan
 * that was confirmed (undefined then): else the operation as stored, planned anew or refused, for a person to decide.
 * Throws where chain or cluster cannot be asked.
 */
export async function askAgain(services: Services, operation: Operation, hold: Hold): Promise<Operation | undefined> {
  const { plan, confirmed } = operation;
  if (plan === undefined || !mayOpen(plan) || confirmed === undefined) return undefined;
  if ((await services.audit.find(entryId(operation, "intent"))) !== undefined) return undefined;
  const drawn = await redraw(services, operation);
  if (!isRefusal(drawn) && drawn.hash === plan.hash && services.now() - confirmed.at <= freshMs) return undefined;
  const stored = await services.operations.replace(undecided(operation, drawn, services.now()), hold.lease);
  if (stored !== undefined) return stored;
  await hold.check();
  throw new LostRace(operation.id);
}

function mayOpen({ kind }: Plan): boolean {
  return kind === "release" || kind === "allow" || kind === "undo";
}

/** What others agreed to they agreed to begin then: it is asked for anew. */
function undecided(operation: Operation, drawn: Plan | Refusal, at: number): Operation {
  if (operation.approval !== undefined) return voided(operation, operation.approval, { drawn, at });
  if (!isRefusal(drawn)) {
    const steps = [...operation.steps, { step: "asked again", at }];
    return { ...operation, state: "planned", plan: drawn, steps };
  }
  const result = { headline: `Refused: ${drawn.reason}`, tone: "warning", lines: [drawn.next], audited: "" } as const;
  return { ...operation, state: "refused", result };
}

type Drawn = { readonly drawn: Plan | Refusal; readonly at: number };

function voided(operation: Operation, approval: Approval, { drawn, at }: Drawn): Operation {
  const ended = { as: "void", at, why: whyVoid(operation, drawn) } as const;
  return { ...operation, state: "cancelled", approval: { ...approval, ended }, result: endedResult(operation, ended) };
}

function whyVoid({ plan }: Operation, drawn: Plan | Refusal): readonly string[] {
  if (isRefusal(drawn)) return [`It would be refused now: ${drawn.reason}.`];
  if (plan !== undefined && plan.hash !== drawn.hash) return planChanges(plan, drawn);
  return ["It was approved, and its replica could not begin with it at once."];
}

/** The card of what is asked again, with why. */
export function againCard(operation: Operation, now: number): Reply {
  const card = operationCard(operation, now);
  if (operation.state !== "planned") return card;
  const why =
    "This was confirmed when Redis did not answer, and it did not begin. Nothing was written. This is the plan now: confirm it again if it is still wanted.";
  return { ...card, sections: [mustRead(text(why)), ...card.sections] };
}

/** The answer to a press whose confirmation may or may not have been stored. */
export function notKnown({ id }: Operation): Reply {
  return {
    ...note(
      `Not known whether ${id} begins: Redis does not answer`,
      [
        text("Nothing was written to the cluster yet, and whether this press was stored is not known."),
        text(
          "Where it was, Bulkhead goes on with it or asks again once Redis answers, and its card will say which. Look at /np status then.",
        ),
      ],
      "failed",
    ),
    operation: id,
  };
}
