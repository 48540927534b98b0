import type { Outlet, Shown } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import type { CardReference } from "../policy/operation.ts";
import { createAside, type DeliveryOptions, type Way } from "./aside.ts";
import { errorText } from "./logger.ts";
import { withPictures } from "./outlet-pictures.ts";

/** Where cards may go: what is left of a route without a caller. */
export type Places = {
  /** The channel that cards are posted in; undefined where none may be: then everything is for the caller alone. */
  readonly channel: string | undefined;
  /** Who gets it as a direct message where it can go nowhere else; a card there lasts as one in a channel does. */
  readonly direct: string | undefined;
};

/** Where the answers to one command or press may go. */
type Route = Way & Places & Asker;

/** Who asked, for what nobody else may see. */
type Asker = { readonly person: string | undefined };

/** The outlet of one command or press. */
export type RequestOutlet = Required<Outlet> & {
  /** To be called when the outcome has been shown: sends what was held back for the last use of the response_url. */
  finish(): Promise<void>;
};

export type Delivery = {
  /** For updates without a request: cards only. */
  readonly background: Outlet;
  forRequest(route: Route): RequestOutlet;
  /** The same without a caller; a card that is gone is posted anew where it was. */
  forNobody(places: Places): Outlet;
};

const nobody: Way = { whisper: undefined, responseUrl: undefined, replaces: false };

const hints = {
  "no-way-in":
    "Only you see this, and Slack does not keep it: the bot is not in this channel. Invite it for a lasting card.",
  failed: "Only you see this, and Slack does not keep it: it did not take the card for the channel just now.",
  late: "Only you see this: Slack does not take changes of the card just now, and gets it as soon as it does.",
} as const;

const directHint = "Sent to you directly: the bot can post nothing where this was asked.";

/** Makes outlets. What they show is never lost silently: they do not throw, they log and count. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const forNobody = (places: Places): Outlet =>
    createOutlet({ ...nobody, ...places, person: places.direct }, true, options);
  return {
    background: forNobody({ channel: undefined, direct: undefined }),
    forRequest: (route) => createOutlet(route, false, options),
    forNobody,
  };
}

function createOutlet(route: Route, follows: boolean, options: DeliveryOptions): RequestOutlet {
  const { person, whisper } = route;
  return withPictures(createTextOutlet(route, follows, options), { ...options, person, asked: whisper?.channel });
}

function createTextOutlet(route: Route, follows: boolean, options: DeliveryOptions): RequestOutlet {
  const aside = createAside(route, options);
  let { channel } = route;

  async function show(reply: Reply, card: CardReference | undefined): Promise<Shown> {
    const updated = card === undefined ? "gone" : await options.cards.update(reply, card);
    if (updated === "done") return { card, reached: true };
    if (updated === "pending") return { card, reached: await tellMeanwhile(reply) };
    if (updated === "failed") return { card, reached: await aside.tell(reply, hints.failed) };
    const into = channel ?? (follows ? card?.channel : undefined);
    return reply.shape === "card" && into !== undefined ? postOrTell(reply, into) : tell(reply, "no-way-in");
  }

  /** The card follows by itself; only what is final is worth telling twice. */
  async function tellMeanwhile(reply: Reply): Promise<boolean> {
    if (reply.interim === true || (route.responseUrl === undefined && route.whisper === undefined)) return false;
    return aside.tell(reply, hints.late);
  }

  async function postOrTell(reply: Reply, into: string): Promise<Shown> {
    const posted = await attempt(() => options.cards.post(reply, into), options);
    if (typeof posted === "object") return { card: posted, reached: true };
    if (posted === "no-way-in") channel = undefined;
    return tell(reply, posted);
  }

  async function tell(reply: Reply, why: keyof typeof hints): Promise<Shown> {
    const direct = route.direct === undefined ? undefined : await tellDirectly(reply, route.direct);
    if (direct !== undefined) return direct;
    return { card: undefined, reached: await aside.tell(reply, reply.shape === "card" ? hints[why] : undefined) };
  }

  /** A note where it was asked for, as long as it can be said there to one alone; a card where it lasts. */
  async function tellDirectly(reply: Reply, user: string): Promise<Shown | undefined> {
    const { whisper } = route;
    const said =
      reply.shape === "note" && whisper !== undefined
        ? await attempt(() => options.cards.whisper(reply, whisper.channel, whisper.user).then(() => true), options)
        : false;
    if (said === true) return { card: undefined, reached: true };
    const written = await write(reply, user, options);
    if (written === undefined) return undefined;
    return { card: reply.shape === "card" ? written : undefined, reached: true };
  }

  const follow = async (reply: Reply, card: CardReference): Promise<boolean> =>
    (await attempt(() => options.cards.follow(reply, card), options)) === true;

  return { show, follow, finish: () => aside.finish() };
}

async function write(reply: Reply, user: string, options: DeliveryOptions): Promise<CardReference | undefined> {
  const hinted = reply.shape === "card" ? { ...reply, footer: [directHint, ...reply.footer] } : reply;
  const posted = await attempt(() => options.cards.post(hinted, user), options);
  return typeof posted === "object" ? posted : undefined;
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
