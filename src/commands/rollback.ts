import { decideAccess, type Place, type Verb } from "../policy/access.ts";
import { refuseBreakGlass } from "../policy/break-glass.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import type { Principal } from "../policy/principal.ts";
import { namespacesTold, type UndoPlan } from "../policy/undo-plan.ts";
import { accept } from "./accept.ts";
import { operationCard, showPreview } from "./card.ts";
import type { Command } from "./command.ts";
import { drawUndo } from "./draw-undo.ts";
import { locateAllowance } from "./find-allowance.ts";
import { owing } from "./hold.ts";
import { isolateAgain, locateAgain } from "./isolate-again.ts";
import { refuseContaining } from "./quarantine.ts";
import { locateRelease, type ReleaseCommand, release } from "./release.ts";
import type { Reply } from "./reply.ts";
import { type Asked, askedRevisions, refuseIn } from "./rollback-what.ts";
import type { SampledJournal } from "./sampled-journal.ts";
import { type Context, keepCard, type Services, store } from "./services.ts";
import { shorten } from "./shorten.ts";
import { planning } from "./tracing.ts";

export type RollbackCommand = Extract<Command, { kind: "rollback" }> & {
  /** What was found by what was named. */
  readonly found?: Asked;
};

type LocatedRollback = { readonly place: Place; readonly command: RollbackCommand };

/** The rights of which it needs one: what is ended or done again by its own command needs that command's. */
export function rollbackVerbs({ what }: RollbackCommand): readonly Verb[] {
  const letter = what.kind === "operation" ? what.operation.charAt(0) : "u";
  if (letter === "q" || letter === "l") return ["release"];
  if (letter === "r") return ["quarantine", "lockdown"];
  return letter === "a" ? ["allow", "quarantine", "lockdown"] : ["rollback"];
}

/** Where what is meant lies: looked up once, and then it is that. */
export async function locateRollback(context: Context, command: RollbackCommand): Promise<LocatedRollback | Refusal> {
  const { what } = command;
  if (what.kind === "operation" && !what.operation.startsWith("u-")) {
    const located = await locateOther(context, command, what.operation);
    if (isRefusal(located)) return located;
    const { place, operation = what.operation } = located;
    return { place, command: { ...command, what: { kind: "operation", operation } } };
  }
  const found = await askedRevisions(context, what);
  if (isRefusal(found)) return found;
  const { cluster, namespace } = found.target;
  const others = found.places.filter((one) => one.cluster !== cluster || one.namespace !== namespace);
  const no = refuseIn(context, others);
  return no ?? { place: found.target, command: { ...command, found } };
}

/** `operation`: its whole id, where nothing else looks for what begins so. */
type Found = { readonly place: Place; readonly operation?: string };

async function locateOther(context: Context, command: RollbackCommand, operation: string): Promise<Found | Refusal> {
  if (operation.startsWith("a-")) {
    const located = await locateAllowance(context, { operation });
    return isRefusal(located) ? located : { place: located.place, operation: located.command.operation };
  }
  if (operation.startsWith("r-")) return locateAgain(context, operation);
  return locateRelease(context, releaseOf(command, operation));
}

/** A release of what cut something off is its undo. */
export function releaseOf({ dryRun, incident, reason }: RollbackCommand, operation: string): ReleaseCommand {
  return { kind: "release", what: { operation }, deletePod: false, keep: "any", dryRun, incident, reason };
}

/** Plans an undo and shows the plan; nothing is written before Confirm. An allowance is shortened or ended at once. */
export async function rollback(
  context: Context & { readonly samples: SampledJournal },
  command: RollbackCommand,
): Promise<Reply> {
  const { what, found } = command;
  if (what.kind === "operation" && found === undefined) {
    const { operation } = what;
    if (operation.startsWith("a-")) return shorten(context, operation, command.reason);
    if (operation.startsWith("r-")) return isolateAgain(context, operation, command);
    return release(context, releaseOf(command, operation));
  }
  if (found === undefined) throw new Error("nobody looked up what is meant");
  const accepted = await accept(context, { kind: "undo", target: found.target, command });
  if (accepted.kind === "answered") return accepted.reply;
  return owing(context, accepted, (held) => proposeRollback(held, accepted.operation, { ...command, found }));
}

/** The same for an operation that was accepted already, by this replica or by one that is gone. */
export async function proposeRollback(
  context: Context,
  operation: Operation,
  command: RollbackCommand,
): Promise<Reply> {
  const { services, outlet, request } = context;
  const { dryRun } = command;
  const found = command.found ?? (await askedRevisions(context, command.what));
  if (isRefusal(found)) return refuseContaining(context, operation, found, dryRun);
  const no = refuseIn(context, found.places);
  if (no !== undefined) return refuseContaining(context, operation, no, dryRun);
  const { way, choices, breakGlass } = command;
  const { asked, undoes, target } = found;
  const drawing = { asked, way, choices, breakGlass, from: "cache", ...(undoes && { undoes }) } as const;
  const plan = await planning(services, () => drawUndo(services, operation, target.cluster, drawing));
  if (isRefusal(plan)) return refuseContaining(context, operation, plan, dryRun);
  const denied = refuseUndo(services, { principal: request.principal, operation, plan });
  if (denied !== undefined) return refuseContaining(context, operation, denied, dryRun);
  const planned = plannedOf(services, operation, found.isSet ? withSet(plan) : plan);
  if (dryRun) return showPreview(outlet, planned);
  const stored = await store(services, planned);
  const reply = operationCard(stored, services.now());
  await keepCard(services, stored, (await outlet.show(reply, undefined)).card);
  return reply;
}

function withSet(plan: UndoPlan): UndoPlan {
  const only = "Only changes in namespaces where you may roll back are in this plan.";
  return { ...plan, warnings: [...plan.warnings, only] };
}

function plannedOf(services: Services, operation: Operation, plan: UndoPlan): Operation {
  const steps = [...operation.steps, { step: "planned", at: services.now() }];
  return { ...operation, state: "planned", target: plan.target, plan, steps };
}

type Refused = { readonly principal: Principal; readonly operation: Operation; readonly plan: UndoPlan };

/** What a plan needs beside the right to roll back in general, which was looked at before: what it does decides. */
export function refuseUndo({ settings }: Services, { principal, operation, plan }: Refused): Refusal | undefined {
  const { access } = settings;
  const { cluster } = plan.target;
  const places = [
    ...namespacesTold(plan).map((namespace) => ({ verb: "rollback" as const, namespace })),
    ...plan.opensIn.map((namespace) => ({ verb: "allow" as const, namespace })),
  ];
  for (const { verb, namespace } of places) {
    const decision = decideAccess(access, principal, verb, { cluster, namespace });
    if (!decision.allowed) return refuseWhat(verb, namespace, decision.reason);
  }
  return refuseBreakGlass(access, operation, plan);
}

function refuseWhat(verb: "rollback" | "allow", namespace: string, reason: string): Refusal {
  const where = namespace === "" ? "in all namespaces" : `in ${namespace}`;
  return verb === "rollback"
    ? refusal(reason, `Ask somebody who may roll back ${where} to type the same.`)
    : refusal(
        `it opens connections, which needs the right to allow ${where}: ${reason}`,
        `Ask somebody who may rollback and allow ${where} to type the same.`,
      );
}
