import { decideAccess, type Place } from "../policy/access.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { isContaining, type Operation } from "../policy/operation.ts";
import type { Choices } from "../policy/plan.ts";
import { type ContainCommand, contain, proposeContain } from "./contain.ts";
import { findOperation } from "./find-operation.ts";
import { proposeQuarantine, quarantine } from "./quarantine.ts";
import type { Reply } from "./reply.ts";
import type { RollbackCommand } from "./rollback.ts";
import type { Context } from "./services.ts";
import { verbOf } from "./verb-of.ts";

/** Where the release of that id, or the only one that begins so, gave something back. It needs the right to cut that off. */
export async function locateAgain(context: Context, id: string): Promise<{ readonly place: Place } | Refusal> {
  const contained = await releasedBy(context, id);
  if (isRefusal(contained)) return contained;
  const { services, request } = context;
  const decision = decideAccess(services.settings.access, request.principal, verbOf(contained.kind), contained.target);
  if (!decision.allowed) return refusal(decision.reason, "Type /np whoami to see what you may do.");
  return { place: contained.target };
}

/** Cuts off again what that release gave back, by the same command as it was cut off by: planned anew, of what is there now. */
export async function isolateAgain(context: Context, id: string, command: RollbackCommand): Promise<Reply> {
  const contained = await releasedBy(context, id);
  if (isRefusal(contained)) throw new Error(contained.reason);
  const again = commandOf(contained, command);
  return "pod" in again && again.pod !== undefined ? quarantine(context, again) : contain(context, again);
}

/** The same for an operation that was accepted already. */
export async function proposeAgain(
  context: Context,
  operation: Operation,
  id: string,
  command: RollbackCommand,
): Promise<Reply> {
  const contained = await releasedBy(context, id);
  if (isRefusal(contained)) throw new Error(contained.reason);
  const again = commandOf(contained, command);
  return "pod" in again && again.pod !== undefined
    ? proposeQuarantine(context, operation, again)
    : proposeContain(context, operation, again);
}

async function releasedBy(context: Context, id: string): Promise<Operation | Refusal> {
  const release = await findOperation(context, id);
  if (isRefusal(release)) return release;
  if (release.state !== "done" || release.lifts === undefined) {
    return refusal(`${release.id} has released nothing (${release.state})`, "Look at /np status.");
  }
  const contained = await context.services.operations.get(release.lifts);
  if (contained !== undefined && isContaining(contained.kind)) return contained;
  return refusal(`what ${release.id} released is not known any more`, "Cut it off anew: /np help quarantine.");
}

type PodCommand = Parameters<typeof quarantine>[1];

function commandOf({ kind, target, plan }: Operation, asked: RollbackCommand): PodCommand | ContainCommand {
  const { reason, incident, dryRun, choices } = asked;
  const before = plan?.kind === "quarantine" || plan?.kind === "contain" ? plan.choices : undefined;
  // What was confirmed by name and overridden was agreed to for then; this is asked for now.
  const { engine, detach, changePolicies } = before ?? noChoices;
  const chosen: Choices = {
    engine,
    detach,
    ...(changePolicies === undefined ? {} : { changePolicies }),
    ...(choices.confirm === undefined ? {} : { confirm: choices.confirm }),
    ...(choices.override ? { override: true } : {}),
  };
  const rest = { choices: chosen, reviewMs: undefined, dryRun, incident, reason };
  if (target.pod !== undefined) return { kind: "quarantine", ...target, ...rest };
  if (target.workload !== undefined) return { kind: "quarantine", ...target, ...rest };
  if (kind !== "lockdown") throw new Error(`a ${kind} of a namespace is not known`);
  return { kind: "lockdown", ...target, ...rest };
}

const noChoices: Choices = { engine: undefined, detach: undefined };
