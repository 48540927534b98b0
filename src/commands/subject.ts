import { manifestName } from "../policy/manifest.ts";
import type { Operation } from "../policy/operation.ts";
import { targetName } from "../policy/target.ts";

/** What an operation is about, for a headline: an allowance goes by its template, a rollback by its policies. */
export function subjectOf({ plan, target }: Pick<Operation, "plan" | "target">): string {
  if (plan?.kind === "allow") return `${plan.template.name} in ${targetName(target)}`;
  if (plan?.kind !== "undo") return targetName(target);
  const [first, ...others] = plan.writes.flatMap(({ from, to }) => to ?? from ?? []);
  if (first === undefined) return targetName(target);
  return others.length === 0 ? manifestName(first) : `${others.length + 1} policies in ${targetName(target)}`;
}
