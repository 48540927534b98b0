import { approvedBy } from "../policy/approval.ts";
import type { ApprovalEnd, Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import type { Hold } from "./hold.ts";
import { type Note, record } from "./journal.ts";
import type { Services } from "./services.ts";

/**
 * Writes what was decided about the operation's approval, as it is stored, into the audit log: each approval and the end
 * of the request. Entries that are there already stay as they are, so that whoever finds the operation may call it.
 */
export async function recordVotes(services: Services, operation: Operation): Promise<void> {
  const { approval } = operation;
  if (approval === undefined) return;
  const { given, needed, ended } = approval;
  // Ids of entries count tries of what was confirmed; this was before.
  const { confirmed: _later, ...before } = operation;
  for (const [index, { by, at }] of given.entries()) {
    await record(services, before, {
      kind: "approved",
      step: `${index + 1}`,
      actor: by,
      ok: true,
      summary: `approved by ${principalName(by)}, ${index + 1} of ${needed}`,
      detail: { planHash: approval.planHash, at },
    });
  }
  if (ended !== undefined) await record(services, before, endOf(operation, ended));
}

/** The same for what was decided already: where it cannot be written now, whoever takes the operation over writes it. */
export async function owedVotes(services: Services, operation: Operation, hold: Pick<Hold, "owe">): Promise<void> {
  try {
    await recordVotes(services, operation);
  } catch (error) {
    hold.owe();
    services.meter({ kind: "error", where: "audit approval", message: String(error) });
  }
}

function endOf(operation: Operation, { as, by, at, why }: ApprovalEnd): Note {
  const given = approvedBy(operation);
  return {
    kind: as,
    step: "request",
    actor: by ?? { kind: "scheduler" },
    ok: false,
    summary: [
      endWords({ as, ...(by === undefined ? {} : { by }) }),
      ...why,
      ...(given === undefined ? [] : [`It had been ${given}.`]),
    ].join(" "),
    detail: { approval: operation.approval, at },
  };
}

/** How a request ended, as a sentence. */
export function endWords({ as, by }: { readonly as: ApprovalEnd["as"]; readonly by?: ApprovalEnd["by"] }): string {
  const who = by === undefined ? "" : ` by ${principalName(by)}`;
  if (as === "void") return "Void: the plan is not the one any more that was to be approved.";
  return as === "expired" ? "Expired: too few approved in time." : `${as === "denied" ? "Denied" : "Withdrawn"}${who}.`;
}
