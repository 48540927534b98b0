import type { webApi } from "@slack/bolt";
import { errorText, type Log } from "./logger.ts";
import { remembering } from "./remember.ts";

/** Who belongs to the user groups that the access section names. */
export type Groups = {
  /**
   * Keys (`slack-group:T1/S1`) of the groups that Slack says the user is in. A group about which Slack does not answer
   * is not among them: no answer is a no.
   */
  of(user: string): Promise<readonly string[]>;
};

export type GroupOptions = {
  /** Keys of the groups to ask about: no other is ever asked about. */
  readonly groups: readonly string[];
  readonly now: () => number;
  readonly log: Log;
  readonly onEvent: (name: "group-unknown") => void;
};

/** From when the answer came; an older one counts as none. */
const rememberMs = 60_000;

/** usergroups.users.list, which needs usergroups:read and a paid plan, and may be called 20 times a minute (Tier 2). */
export function createGroups(client: webApi.WebClient, options: GroupOptions): Groups {
  const { now, log, onEvent } = options;
  const members = remembering<ReadonlySet<string>>(now, () => rememberMs);
  let last: Promise<unknown> = Promise.resolve();

  /** One call at a time, since all share a narrow rate limit. */
  function inTurn(key: string): Promise<ReadonlySet<string>> {
    const asked = last.then(() => askMembers(client, key));
    last = asked.catch(() => undefined);
    return asked;
  }

  async function isIn(key: string, user: string): Promise<boolean> {
    try {
      return (await members(key, () => inTurn(key))).has(user);
    } catch (error) {
      onEvent("group-unknown");
      log.warn({ group: key, error: errorText(error) }, "Slack did not say who is in a user group: nobody, then");
      return false;
    }
  }

  return {
    async of(user) {
      const found = await Promise.all(options.groups.map(async (key) => ((await isIn(key, user)) ? [key] : [])));
      return found.flat();
    },
  };
}

async function askMembers(client: webApi.WebClient, key: string): Promise<ReadonlySet<string>> {
  const [team_id = "", usergroup = ""] = key.slice("slack-group:".length).split("/");
  const { users } = await client.usergroups.users.list({ usergroup, team_id });
  if (users === undefined) throw new Error("usergroups.users.list named no users");
  return new Set(users);
}
