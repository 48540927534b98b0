import type { webApi } from "@slack/bolt";
import type { Desk } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import { noHome } from "./answers.ts";
import { calling } from "./calls.ts";
import { type IdentifyOptions, identify } from "./identify.ts";
import { errorText, type Log } from "./logger.ts";
import type { Caller } from "./payload.ts";
import { renderReply } from "./render.ts";

export type HomeOptions = IdentifyOptions & {
  readonly desk: Pick<Desk, "home">;
  readonly client: webApi.WebClient;
  /** Such as `/np`. */
  readonly command: string;
  readonly now: () => number;
  readonly log: Log;
  readonly onEvent: (name: HomeEvent) => void;
};

export type HomeEvent = "home-failed";

export type Homes = {
  /**
   * Draws the person's home tab as it stands now. Never rejects: what Slack does not take is logged, and drawn when the tab
   * is opened again.
   */
  publish(caller: Caller): Promise<void>;
};

/** One after the other for each person, and only the latest of those that wait: somebody may open the tab ten times a second. */
export function createHomes(options: HomeOptions): Homes {
  const drawing = new Map<string, Drawing>();
  const draw = async (caller: Caller, own: Drawing): Promise<void> => {
    while (own.wanted) {
      own.wanted = false;
      await publish(caller, options);
    }
  };
  return {
    publish(caller) {
      const key = `${caller.team}/${caller.user}`;
      const before = drawing.get(key);
      if (before !== undefined) {
        before.wanted = true;
        return before.done;
      }
      const own: Drawing = { wanted: true, done: Promise.resolve() };
      drawing.set(key, own);
      own.done = draw(caller, own).finally(() => drawing.delete(key));
      return own.done;
    },
  };
}

type Drawing = { wanted: boolean; done: Promise<void> };

async function publish(caller: Caller, options: HomeOptions): Promise<void> {
  try {
    const page = await pageOf(caller, options);
    if (page === undefined) return;
    const { blocks } = renderReply(page, options.command);
    await calling(() => options.client.views.publish({ user_id: caller.user, view: { type: "home", blocks } }));
  } catch (error) {
    options.onEvent("home-failed");
    options.log.warn({ user: caller.user, error: errorText(error) }, "Slack did not take a home tab");
  }
}

/** Nobody of ours gets none. */
async function pageOf(caller: Caller, options: HomeOptions): Promise<Reply | undefined> {
  const identity = await identify(caller, options);
  if (identity.kind === "foreign") return undefined;
  if (identity.kind === "turned-away") return noHome(identity.why);
  return options.desk.home({ principal: identity.principal, at: options.now() });
}
