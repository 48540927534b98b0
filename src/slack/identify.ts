import type { Principal } from "../policy/principal.ts";
import type { Groups } from "./groups.ts";
import { errorText, type Log } from "./logger.ts";
import { type Caller, principalOf } from "./payload.ts";
import type { Channel, People, Person } from "./people.ts";

/**
 * Who called. `person`: may go on; where the channel is `unseen`, answers go to the person alone. `turned-away`: a
 * person of ours who may not, with the reason in words. `foreign`: nobody of ours.
 */
export type Identity =
  | { readonly kind: "person"; readonly principal: SlackPrincipal; readonly channel: "internal" | "unseen" }
  | { readonly kind: "turned-away"; readonly principal: SlackPrincipal; readonly why: string }
  | { readonly kind: "foreign"; readonly why: string };

type SlackPrincipal = Extract<Principal, { kind: "slack" }>;

export type IdentifyOptions = {
  readonly people: People;
  readonly groups: Pick<Groups, "of">;
  /** Workspaces whose people may use the bot: an empty list is nobody, undefined is the bot's own. */
  readonly teams: readonly string[] | undefined;
  readonly log: Log;
};

/**
 * Decides whether Slack vouches for the caller. Fails closed: where Slack does not answer, the answer is no. Rights are
 * not decided here; Slack Connect lets people of other organisations use an app in a shared channel, so both the person
 * and the channel are asked about.
 */
export async function identify(caller: Caller, options: IdentifyOptions): Promise<Identity> {
  try {
    const teams = options.teams ?? [await options.people.ownTeam()];
    if (!teams.includes(caller.team)) return { kind: "foreign", why: `workspace ${caller.team} is not one of ours` };
    const [person, channel] = await Promise.all([
      options.people.person(caller.user),
      caller.channel === undefined ? unseen : options.people.channel(caller.channel),
    ]);
    const identity = judge(caller, { person, channel, teams });
    return identity.kind === "person" ? await withGroups(identity, options.groups) : identity;
  } catch (error) {
    options.log.warn({ user: caller.user, error: errorText(error) }, "Slack did not say who called");
    const why = "Slack did not confirm who you are, and without that nothing is done. Try again in a minute.";
    return { kind: "turned-away", principal: principalOf(caller), why };
  }
}

/** Asked only for who may use the bot at all. */
async function withGroups(
  identity: Extract<Identity, { kind: "person" }>,
  groups: Pick<Groups, "of">,
): Promise<Identity> {
  const found = await groups.of(identity.principal.user);
  return found.length === 0 ? identity : { ...identity, principal: { ...identity.principal, groups: found } };
}

const unseen: Channel = { kind: "unseen" };

type Known = { readonly person: Person; readonly channel: Channel; readonly teams: readonly string[] };

function judge(caller: Caller, { person, channel, teams }: Known): Identity {
  if (!person.found) return { kind: "foreign", why: `Slack knows no user ${caller.user}` };
  if (person.stranger || !person.teams.some((team) => teams.includes(team))) {
    return { kind: "foreign", why: `${caller.user} belongs to another organisation` };
  }
  const principal = principalOf({ ...caller, enterprise: caller.enterprise ?? person.enterprise }, person.displayName);
  const why = objection(person.unfit, channel);
  if (why !== undefined) return { kind: "turned-away", principal, why };
  return { kind: "person", principal, channel: channel.kind === "unseen" ? "unseen" : "internal" };
}

function objection(unfit: string | undefined, channel: Channel): string | undefined {
  if (unfit !== undefined) return `You are signed in to Slack as ${unfit}; Bulkhead answers full members only.`;
  if (channel.kind === "shared") {
    return "This channel is shared with another organisation. Use a channel of your own organisation.";
  }
  return undefined;
}
