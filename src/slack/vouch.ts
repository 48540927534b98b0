import type { Principal } from "../policy/principal.ts";
import type { Groups } from "./groups.ts";
import type { People } from "./people.ts";

export type VouchOptions = {
  readonly people: Pick<People, "person" | "ownTeam">;
  readonly groups: Pick<Groups, "sure">;
  /** See IdentifyOptions. */
  readonly teams: readonly string[] | undefined;
};

/**
 * The person as Slack knows them now, with the groups of now, where they ask for nothing themselves; or why they may not use
 * the bot any more. Throws where Slack does not answer: that is no reason to end what they set up.
 */
export async function vouchFor(
  principal: Principal,
  { people, groups, teams }: VouchOptions,
): Promise<Principal | { readonly why: string }> {
  if (principal.kind !== "slack") return principal;
  const ours = teams ?? [await people.ownTeam()];
  const person = await people.person(principal.user);
  if (!ours.includes(principal.team) || !person.found || person.stranger)
    return { why: "Slack knows nobody of ours by that id" };
  if (!person.teams.some((team) => ours.includes(team))) return { why: "that account belongs to another organisation" };
  if (person.unfit !== undefined) return { why: `that is ${person.unfit} now` };
  const { groups: _before, ...rest } = principal;
  const found = await groups.sure(principal.user);
  return found.length === 0 ? rest : { ...rest, groups: found };
}
