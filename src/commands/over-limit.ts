import { formatDuration } from "../policy/duration.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { personKey } from "../policy/people.ts";
import type { Counted } from "../scheduler/limits.ts";
import { recordRefusal } from "./journal.ts";
import type { Press } from "./request.ts";
import type { Context } from "./services.ts";

/**
 * Counts the action that is about to begin; where it is one too many, why it does not, which is audited. Where the store
 * cannot count it goes on: containment does not wait for Redis, and what widens finds it away a step later.
 */
export async function overLimit(
  { services, request }: Context<Press>,
  { id, kind, target, incident }: Operation,
): Promise<Refusal | undefined> {
  const { limits, access } = services.settings;
  const person = personKey(access.people, request.principal);
  const counted = await services.limits
    .count({ operation: id, person, cluster: target.cluster }, limits)
    .catch((error: unknown): Counted => {
      services.meter({ kind: "error", where: "count action", message: String(error) });
      return { kind: "counted" };
    });
  if (counted.kind === "counted") return undefined;
  const { of, inMs } = counted;
  const why =
    of === "person"
      ? `you have confirmed ${limits.perPerson} actions within a minute, which is the most for one person`
      : `${limits.perCluster} actions were confirmed in cluster ${target.cluster} within a minute, which is the most`;
  await recordRefusal(services, request, { ...target, verb: kind, incident, why });
  const wait = formatDuration(Math.max(1_000, Math.ceil(inMs / 1_000) * 1_000));
  return refusal(why, `Nothing was done and the plan stays: press Confirm again in ${wait}.`);
}
