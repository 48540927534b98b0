import type { webApi } from "@slack/bolt";
import { refusal } from "./calls.ts";
import { errorText, type Log } from "./logger.ts";
import { remembering } from "./remember.ts";

/** What Slack says about a user (users.info); teams are every workspace that the account belongs to. */
export type Person =
  | {
      readonly found: true;
      readonly displayName: string | undefined;
      readonly enterprise: string | undefined;
      readonly teams: readonly string[];
      /** Why this account may not use the bot, in words (`a guest account`); undefined where nothing speaks against it. */
      readonly unfit: string | undefined;
      readonly stranger: boolean;
    }
  | { readonly found: false };

/** What Slack says about a channel (conversations.info). `unseen`: the bot has no view of it, so nobody can say. */
export type Channel = { readonly kind: "internal" | "shared" | "unseen" };

/** Slack's answers, remembered for at most a minute. Every question throws where Slack does not answer. */
export type People = {
  /** The workspace of the bot token. */
  ownTeam(): Promise<string>;
  person(user: string): Promise<Person>;
  channel(channel: string): Promise<Channel>;
};

const rememberMs = 60_000;
/** Shorter, so that inviting the bot takes effect soon. */
const rememberUnseenMs = 10_000;

/** conversations.info says these where the bot is not in a private channel or a direct message. */
const unseen = new Set([
  "channel_not_found",
  "not_in_channel",
  "no_permission",
  "missing_scope",
  "method_not_supported_for_channel_type",
]);

export function createPeople(
  client: webApi.WebClient,
  options: { readonly now: () => number; readonly log: Log },
): People {
  const teams = remembering<string>(options.now, () => Number.POSITIVE_INFINITY);
  const persons = remembering<Person>(options.now, () => rememberMs);
  const channels = remembering<Channel>(options.now, ({ kind }) => (kind === "unseen" ? rememberUnseenMs : rememberMs));
  return {
    ownTeam: () => teams("own", () => askTeam(client)),
    person: (user) => persons(user, () => askPerson(client, user)),
    channel: (channel) => channels(channel, () => askChannel(client, channel, options.log)),
  };
}

async function askTeam(client: webApi.WebClient): Promise<string> {
  const { team_id } = await client.auth.test();
  if (team_id === undefined) throw new Error("auth.test named no team");
  return team_id;
}

async function askPerson(client: webApi.WebClient, user: string): Promise<Person> {
  try {
    const answer = await client.users.info({ user });
    if (answer.user === undefined) throw new Error("users.info named no user");
    return personOf(answer.user);
  } catch (error) {
    if (["user_not_found", "user_not_visible"].includes(refusal(error) ?? "")) return { found: false };
    throw error;
  }
}

function personOf(user: NonNullable<webApi.UsersInfoResponse["user"]>): Person {
  const teams = [user.team_id, ...(user.enterprise_user?.teams ?? [])].filter((team) => team !== undefined);
  return {
    found: true,
    displayName: user.profile?.display_name || user.real_name || user.name,
    enterprise: user.enterprise_user?.enterprise_id,
    teams,
    unfit: unfitness(user),
    stranger: user.is_stranger === true,
  };
}

function unfitness(user: NonNullable<webApi.UsersInfoResponse["user"]>): string | undefined {
  if (user.deleted === true) return "a deactivated account";
  if (user.is_bot === true || user.is_workflow_bot === true || user.is_connector_bot === true) return "a bot";
  if (user.is_ultra_restricted === true || user.is_restricted === true) return "a guest account";
  return undefined;
}

async function askChannel(client: webApi.WebClient, channel: string, log: Log): Promise<Channel> {
  try {
    const answer = await client.conversations.info({ channel });
    if (answer.channel === undefined) throw new Error("conversations.info named no channel");
    return { kind: isShared(answer.channel) ? "shared" : "internal" };
  } catch (error) {
    const why = refusal(error);
    if (why === undefined || !unseen.has(why)) throw error;
    // No scope is asked for that would let the bot look at direct messages.
    if (why === "missing_scope" && !channel.startsWith("D"))
      log.warn({ channel, error: errorText(error) }, "the app may not ask about this channel");
    return { kind: "unseen" };
  }
}

/** Shared with another organisation, or about to be; `is_org_shared` alone is within one organisation. */
function isShared(channel: NonNullable<webApi.ConversationsInfoResponse["channel"]>): boolean {
  if (channel.is_ext_shared === true || channel.is_pending_ext_shared === true) return true;
  return channel.is_shared === true && channel.is_org_shared !== true;
}
