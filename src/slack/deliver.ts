import type { Outlet, Shown } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import type { CardReference } from "../policy/operation.ts";
import { createAside, type DeliveryOptions, type Way } from "./aside.ts";
import { errorText } from "./logger.ts";

/** Where the answers to one command or press may go. */
type Route = Way & {
  /** The channel that cards are posted in; undefined where none may be: then everything is for the caller alone. */
  readonly channel: string | undefined;
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

const nobody: Route = { channel: undefined, whisper: undefined, responseUrl: undefined, replaces: false };

const hints = {
  "no-way-in":
    "Only you see this, and Slack does not keep it: the bot is not in this channel. Invite it for a lasting card.",
  failed: "Only you see this, and Slack does not keep it: it did not take the card for the channel just now.",
} as const;

/** Makes outlets. What they show is never lost silently: they do not throw, they log and count. */
export function createDelivery(options: DeliveryOptions): Delivery {
  return {
    background: createOutlet(nobody, options),
    forRequest: (route) => createOutlet(route, options),
  };
}

function createOutlet(route: Route, options: DeliveryOptions): RequestOutlet {
  const aside = createAside(route, options);
  let { channel } = route;

  async function show(reply: Reply, card: CardReference | undefined): Promise<Shown> {
    const updated = card === undefined ? "gone" : await attempt(() => options.cards.update(reply, card), options);
    if (updated === "done") return { card, reached: true };
    if (updated === "failed") return { card, reached: await aside.tell(reply, hints.failed) };
    const into = channel ?? (route === nobody ? card?.channel : undefined);
    return reply.shape === "card" && into !== undefined ? postOrTell(reply, into) : tell(reply, "no-way-in");
  }

  async function postOrTell(reply: Reply, into: string): Promise<Shown> {
    const posted = await attempt(() => options.cards.post(reply, into), options);
    if (typeof posted === "object") return { card: posted, reached: true };
    if (posted === "no-way-in") channel = undefined;
    return tell(reply, posted);
  }

  async function tell(reply: Reply, why: keyof typeof hints): Promise<Shown> {
    return { card: undefined, reached: await aside.tell(reply, reply.shape === "card" ? hints[why] : undefined) };
  }

  return { show, finish: () => aside.finish() };
}

async function attempt<T>(call: () => Promise<T>, { log, onEvent }: DeliveryOptions): Promise<T | "failed"> {
  try {
    return await call();
  } catch (error) {
    log.error({ error: errorText(error) }, "Slack did not take a card");
    onEvent("delivery-error");
    return "failed";
  }
}
