import { setTimeout as wait } from "node:timers/promises";
import { webApi } from "@slack/bolt";
import { errorText, type Log } from "./logger.ts";
import { remembering } from "./remember.ts";

/** Who belongs to the user groups that the access section names. */
export type Groups = {
  /**
   * Keys (`slack-group:T1/S1`) of the groups that Slack says the user is in. A group about which Slack does not answer
   * is not among them: no answer is a no.
   */
  of(user: string): Promise<readonly string[]>;
  /** The same, but throws where Slack does not answer about one of them: for what would end by a no. */
  sure(user: string): Promise<readonly string[]>;
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
/** Of all groups together, since somebody waits for it. */
const answerWithinMs = 1_500;
/** Slack is not asked again before, or before the time that a rate limit names. */
const failedForMs = 10_000;

/** What is remembered of a group: who is in it, or that Slack did not say, and for how long that holds. */
type Answer = { readonly members: ReadonlySet<string>; readonly holdsMs: number; readonly failed?: true };

/**
 * usergroups.users.list, which needs usergroups:read and a paid plan, and may be called 20 times a minute (Tier 2). All
 * groups are asked at once, and answers are there after a second and a half, however Slack fares.
 */
export function createGroups(client: webApi.WebClient, { groups, now, log, onEvent }: GroupOptions): Groups {
  const answers = remembering<Answer>(now, ({ holdsMs }) => holdsMs);
  const limit = { until: 0 };

  async function ask(key: string): Promise<Answer> {
    try {
      if (now() < limit.until) throw new Error("the rate limit of usergroups.users.list is not over");
      return { members: await inTime(askMembers(client, key)), holdsMs: rememberMs };
    } catch (error) {
      if (error instanceof webApi.WebAPIRateLimitedError) limit.until = now() + error.retryAfter * 1_000;
      onEvent("group-unknown");
      log.warn({ group: key, error: errorText(error) }, "Slack did not say who is in a user group: nobody, then");
      return { members: new Set(), holdsMs: Math.max(failedForMs, limit.until - now()), failed: true };
    }
  }

  return {
    async sure(user) {
      const found = await Promise.all(groups.map(async (key) => ({ key, ...(await answers(key, () => ask(key))) })));
      if (found.some(({ failed }) => failed === true)) throw new Error("Slack did not say who is in a user group");
      return found.flatMap(({ key, members }) => (members.has(user) ? [key] : []));
    },
    async of(user) {
      const isIn = async (key: string): Promise<boolean> => (await answers(key, () => ask(key))).members.has(user);
      const found = await Promise.all(groups.map(async (key) => ((await isIn(key)) ? [key] : [])));
      return found.flat();
    },
  };
}

function inTime<T>(asked: Promise<T>): Promise<T> {
  const late = wait(answerWithinMs, undefined, { ref: false }).then(() =>
    Promise.reject(new Error("no answer in time")),
  );
  return Promise.race([asked, late]);
}

async function askMembers(client: webApi.WebClient, key: string): Promise<ReadonlySet<string>> {
  const [team_id = "", usergroup = ""] = key.slice("slack-group:".length).split("/");
  const { users } = await client.usergroups.users.list({ usergroup, team_id });
  if (users === undefined) throw new Error("usergroups.users.list named no users");
  return new Set(users);
}
