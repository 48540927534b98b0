import { choiceWords } from "../policy/next-steps.ts";
import type { Operation } from "../policy/operation.ts";
import type { LiftPlan, ReleasePlan } from "../policy/plan.ts";
import { targetReference } from "../policy/target.ts";

/** The command line that shows the operation's plan, with cluster and incident, which a terminal does not take from the channel. */
export function atTerminal(operation: Operation): string {
  const { id, kind, state, target, plan, incident, origin } = operation;
  if (state === "awaiting-approval") return `bulkhead approve ${id} --dry-run`;
  if (plan?.kind === "release") return releaseLine(plan, incident);
  if (kind === "undo") return undoLine(operation);
  if (plan?.kind === "allow" || kind === "allowance") return `bulkhead ${origin.command} --dry-run`;
  const choices = plan?.kind === "quarantine" || plan?.kind === "contain" ? choiceWords(plan.choices) : "";
  return `bulkhead ${kind} ${target.cluster}:${targetReference(target)}${choices}${ending(incident)}`;
}

/** What was chosen by a button was not typed. */
function undoLine({ origin: { command }, plan }: Operation): string {
  const way = plan?.kind === "undo" ? plan.way : "alone";
  const chosen = way === "alone" || command.includes(`--${way}`) ? "" : ` --${way}`;
  return `bulkhead ${command}${chosen} --dry-run`;
}

function releaseLine(plan: ReleasePlan | LiftPlan, incident: string | undefined): string {
  const { lifts, mode } = plan;
  const how =
    mode === "delete" ? " --delete-pod" : plan.mode === "objects" || plan.keep === "any" ? "" : ` --keep ${plan.keep}`;
  return `bulkhead release ${lifts}${how}${ending(incident)}`;
}

function ending(incident: string | undefined): string {
  return `${incident === undefined ? "" : ` --incident ${incident}`} --dry-run`;
}
