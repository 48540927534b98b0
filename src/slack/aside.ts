import type { Reply } from "../commands/reply.ts";
import type { Cards } from "./cards.ts";
import { errorText, type Log } from "./logger.ts";
import type { PicturePost } from "./picture-post.ts";
import { type Message, renderPlainly, renderReply } from "./render.ts";
import type { ResponseUrl } from "./response-url.ts";

/** The ways to the caller alone, past the channel. */
export type Way = {
  readonly responseUrl: ResponseUrl | undefined;
  /** Whom and where to whisper to when no response_url is left; undefined where nobody is. */
  readonly whisper: { readonly channel: string; readonly user: string } | undefined;
  /** The button was on an ephemeral card: a card that is shown takes its place. */
  readonly replaces: boolean;
};

export type DeliveryOptions = {
  readonly cards: Cards;
  readonly pictures: PicturePost;
  /** Such as `/np`. */
  readonly command: string;
  readonly log: Log;
  readonly onEvent: (name: DeliveryEvent) => void;
};

/**
 * What delivery counts: a card that went to the caller alone; a call that Slack did not take; an answer that reached
 * nobody.
 */
export type DeliveryEvent = "answered-privately" | "delivery-error" | "undeliverable";

export type Aside = {
  /**
   * Tells the caller alone, one after the other; `hint` says why it is not in the channel. Whether it reached the
   * caller, as far as is known: what is held back counts as told.
   */
  tell(reply: Reply, hint: string | undefined): Promise<boolean>;
  /** Nothing more comes: sends what was held back. */
  finish(): Promise<void>;
};

/**
 * By response_url while it lasts, then as an ephemeral message. The last use of the response_url is kept for the
 * outcome, and which reply that is, is only known at the end.
 */
export function createAside(way: Way, options: DeliveryOptions): Aside {
  let queue: Promise<unknown> = Promise.resolve();
  let held: Reply | undefined;
  let finished = false;

  async function say(reply: Reply): Promise<boolean> {
    if (way.responseUrl?.left() === 1 && !finished) {
      held = reply;
      return true;
    }
    if (reply.shape === "card") options.onEvent("answered-privately");
    if ((await respond(reply, way, options)) || (await whisper(reply, way, options))) return true;
    options.log.error({ operation: reply.operation, headline: reply.headline }, "an answer reached nobody");
    options.onEvent("undeliverable");
    return false;
  }

  return {
    tell(reply, hint) {
      const hinted = hint === undefined ? reply : { ...reply, footer: [hint, ...reply.footer] };
      const told = queue.then(() => say(hinted));
      queue = told;
      return told;
    },
    async finish() {
      queue = queue.then(async () => {
        finished = true;
        if (held !== undefined) await say(held);
        held = undefined;
      });
      await queue;
    },
  };
}

async function respond(reply: Reply, { responseUrl, replaces }: Way, options: DeliveryOptions): Promise<boolean> {
  if (responseUrl === undefined || responseUrl.left() === 0) return false;
  const send = (message: Message): Promise<void> => responseUrl.send(message, replaces && reply.shape === "card");
  return taken(options, async () => {
    await send(renderReply(reply, options.command)).catch(async (error: unknown) => {
      if (!/blocks|msg_too_long/.test(errorText(error)) || responseUrl.left() === 0) throw error;
      await send(renderPlainly(reply));
    });
  });
}

async function whisper(reply: Reply, way: Way, options: DeliveryOptions): Promise<boolean> {
  const { whisper: to } = way;
  return to !== undefined && taken(options, () => options.cards.whisper(reply, to.channel, to.user));
}

async function taken(options: DeliveryOptions, call: () => Promise<void>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    options.log.warn({ error: errorText(error) }, "Slack did not take an answer to the caller");
    options.onEvent("delivery-error");
    return false;
  }
}
