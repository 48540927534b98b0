import type { Outlet } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import type { CardReference } from "../policy/operation.ts";
import type { Cards } from "./cards.ts";
import { errorText, type Log } from "./logger.ts";
import { type Message, renderPlainly, renderReply } from "./render.ts";
import type { ResponseUrl } from "./response-url.ts";

/** Where the answers to one command or press may go. */
export type Route = {
  /** The channel that cards are posted in; undefined where none may be: then everything is for the caller alone. */
  readonly channel: string | undefined;
  /** Whom and where to whisper to when no response_url is left; undefined where nobody is. */
  readonly whisper: { readonly channel: string; readonly user: string } | undefined;
  readonly responseUrl: ResponseUrl | undefined;
  /** The button was on an ephemeral card: what is shown takes its place. */
  readonly replaces: boolean;
};

/** The outlet of one command or press. */
export type RequestOutlet = Outlet & {
  /** To be called when the outcome has been shown: sends what was held back for the last use of the response_url. */
  finish(): Promise<void>;
};

export type Delivery = {
  /** For updates without a request: cards only. */
  readonly background: Outlet;
  forRequest(route: Route): RequestOutlet;
};

export type DeliveryOptions = {
  readonly cards: Cards;
  /** Such as `/np`. */
  readonly command: string;
  readonly log: Log;
  readonly onEvent: (name: DeliveryEvent) => void;
};

/** What delivery counts: an answer that went to the caller alone for want of a channel; one that reached nobody. */
export type DeliveryEvent = "answered-privately" | "undeliverable" | "delivery-error";

const nobody: Route = { channel: undefined, whisper: undefined, responseUrl: undefined, replaces: false };

/** Makes outlets. What they show is never lost silently: they do not throw, they log and count. */
export function createDelivery(options: DeliveryOptions): Delivery {
  return {
    background: createOutlet(nobody, options),
    forRequest: (route) => createOutlet(route, options),
  };
}

function createOutlet(route: Route, options: DeliveryOptions): RequestOutlet {
  const { cards, log, onEvent } = options;
  const privately = createWhisperer(route, options);
  let channel = route.channel;

  async function show(reply: Reply, card: CardReference | undefined): Promise<CardReference | undefined> {
    if (card !== undefined) {
      const updated = await attempt(() => cards.update(reply, card));
      if (updated === true) return card;
      if (updated === undefined) {
        await privately.show(reply);
        return card;
      }
    }
    const into = channel ?? (route === nobody ? card?.channel : undefined);
    if (reply.shape === "card" && into !== undefined) {
      const posted = await attempt(() => cards.post(reply, into));
      if (posted !== undefined) return posted;
      channel = undefined;
    }
    await privately.show(reply);
    return undefined;
  }

  async function attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      log.error({ error: errorText(error) }, "Slack did not take a card");
      onEvent("delivery-error");
      return undefined;
    }
  }

  return { show, finish: () => privately.finish() };
}

function createWhisperer(route: Route, options: DeliveryOptions) {
  let queue = Promise.resolve();
  let held: Reply | undefined;
  let finished = false;

  /** The last use is kept for the outcome, and which reply that is, is known at the end. */
  async function say(reply: Reply): Promise<void> {
    if (route.responseUrl?.left() === 1 && !finished) {
      held = reply;
      return;
    }
    if ((await byResponseUrl(reply, route, options)) || (await byWhisper(reply, route, options))) return;
    options.log.error({ operation: reply.operation, headline: reply.headline }, "an answer reached nobody");
    options.onEvent("undeliverable");
  }

  return {
    show(reply: Reply): Promise<void> {
      queue = queue.then(() => say(reply));
      return queue;
    },
    finish(): Promise<void> {
      queue = queue.then(async () => {
        finished = true;
        if (held !== undefined) await say(held);
        held = undefined;
      });
      return queue;
    },
  };
}

async function byResponseUrl(reply: Reply, route: Route, options: DeliveryOptions): Promise<boolean> {
  if (route.responseUrl === undefined || route.responseUrl.left() === 0) return false;
  const isCard = reply.shape === "card";
  if (isCard) options.onEvent("answered-privately");
  const shown = isCard ? withHint(reply) : reply;
  const { responseUrl } = route;
  const send = (message: Message): Promise<void> => responseUrl.send(message, isCard && route.replaces);
  try {
    await send(renderReply(shown, options.command)).catch((error) => {
      if (!errorText(error).includes("blocks") || responseUrl.left() === 0) throw error;
      return send(renderPlainly(shown));
    });
    return true;
  } catch (error) {
    options.log.warn({ error: errorText(error) }, "a response_url did not take an answer");
    options.onEvent("delivery-error");
    return false;
  }
}

async function byWhisper(reply: Reply, route: Route, options: DeliveryOptions): Promise<boolean> {
  if (route.whisper === undefined) return false;
  try {
    await options.cards.whisper(reply, route.whisper.channel, route.whisper.user);
    return true;
  } catch (error) {
    options.log.warn({ error: errorText(error) }, "an ephemeral message was not taken");
    options.onEvent("delivery-error");
    return false;
  }
}

function withHint(reply: Reply): Reply {
  const hint =
    "Only you see this, and Slack does not keep it: the bot is not in this channel. Invite it for a durable card.";
  return { ...reply, footer: [hint, ...reply.footer] };
}
