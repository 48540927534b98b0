import { type ApprovalEnd, isContaining, type Operation, type OperationResult } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { callPeople } from "./call.ts";
import { type Hold, owing } from "./hold.ts";
import type { Reply } from "./reply.ts";
import { storeAndHold } from "./services.ts";
import { type Showing, showCard } from "./show-card.ts";
import { subjectOf } from "./subject.ts";
import { verbOf } from "./verb-of.ts";
import { endWords, owedVotes } from "./votes.ts";

/**
 * Ends the request for an approval without one: the operation is cancelled, its card says why and how to ask again, and
 * whoever asked is told. Nothing was written. Throws LostRace where somebody else decided first.
 */
export async function endRequest(context: Showing, operation: Operation, ended: ApprovalEnd): Promise<Reply> {
  const { approval } = operation;
  if (approval === undefined) throw new Error(`operation ${operation.id} has no request to end`);
  const next: Operation = {
    ...operation,
    state: "cancelled",
    approval: { ...approval, ended },
    result: endedResult(operation, ended),
    steps: [...operation.steps, { step: ended.as, at: ended.at }],
  };
  const held = await storeAndHold(context.services, next);
  return owing(context, held, (holding, hold) => tellEnd(holding, held.operation, hold));
}

/** What is owed of an ended request: its entries in the audit log, the call and the card. */
async function tellEnd(context: Showing, operation: Operation, hold: Hold): Promise<Reply> {
  await owedVotes(context.services, operation, hold);
  const { result, approval, principal } = operation;
  if (approval?.ended?.as !== "withdrawn" && principal.kind === "slack") {
    await callPeople(context, operation, {
      headline: result?.headline ?? "Not approved",
      lines: result?.lines ?? [],
      mentions: [`slack:${principal.team}/${principal.user}`],
    });
  }
  return showCard(context, operation);
}

/** What the card says of a request that ended. */
export function endedResult(operation: Operation, { as, by, why }: ApprovalEnd): OperationResult {
  const { kind, origin } = operation;
  const who = by === undefined ? "" : ` by ${principalName(by)}`;
  const open = isContaining(kind) ? "It is not cut off." : "Nothing was opened.";
  return {
    headline: `${headings[as]}${who}: ${verbOf(kind)} ${subjectOf(operation)}`,
    tone: "warning",
    lines: [
      ...(by === undefined ? [endWords({ as })] : []),
      ...why,
      `Nothing was written. ${open}`,
      `To ask again, type it again: /np ${origin.command}`,
    ],
    audited: "",
  };
}

const headings: Record<ApprovalEnd["as"], string> = {
  denied: "Denied",
  withdrawn: "Withdrawn",
  void: "Void",
  expired: "Expired",
};
