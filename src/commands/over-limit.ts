import { formatDuration } from "../policy/duration.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { personKey } from "../policy/people.ts";
import { type Principal, principalName } from "../policy/principal.ts";
import type { Counted } from "../scheduler/limits.ts";
import type { Context } from "./services.ts";

/**
 * Counts the action that is about to begin, for the person whose it is; where it is one too many, why it does not begin.
 * What another person agreed to begins all the same where that was asked for. Where the store cannot count it goes on:
 * containment does not wait for Redis, and what widens finds it away a step later.
 */
export async function overLimit(
  { services }: Pick<Context, "services">,
  { id, target, plan }: Operation,
  { by, button }: { readonly by: Principal; readonly button: "Confirm" | "Approve" },
): Promise<Refusal | undefined> {
  const { limits, access } = services.settings;
  const person = personKey(access.people, by);
  const counted = await services.limits
    .count({ operation: id, person, cluster: target.cluster }, limits)
    .catch((error: unknown): Counted => {
      services.meter({ kind: "error", where: "count action", message: String(error) });
      return { kind: "counted" };
    });
  if (counted.kind === "counted" || overridesOf(plan)) return undefined;
  const { of, inMs } = counted;
  const who = button === "Confirm" ? "you have" : `${principalName(by)} has`;
  const why =
    of === "person"
      ? `${who} confirmed ${limits.perPerson} actions within a minute, which is the most for one person`
      : `${limits.perCluster} actions were confirmed in cluster ${target.cluster} within a minute, which is the most`;
  const wait = formatDuration(Math.max(1_000, Math.ceil(inMs / 1_000) * 1_000));
  const sooner = plan === undefined || plan.kind === "allow" || plan.kind === "release" ? "" : overrideWords;
  return refusal(why, `Nothing was done and the plan stays: press ${button} again in ${wait}.${sooner}`);
}

const overrideWords = " Sooner with the agreement of another person: type the command with --override.";

function overridesOf(plan: Operation["plan"]): boolean {
  return (
    (plan?.kind === "quarantine" || plan?.kind === "contain" || plan?.kind === "undo") &&
    plan.choices?.override === true
  );
}
