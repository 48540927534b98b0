import { setTimeout as wait } from "node:timers/promises";
import type { webApi } from "@slack/bolt";
import type { Reply } from "../commands/reply.ts";
import type { CardReference } from "../policy/operation.ts";
import { calling, refusal } from "./calls.ts";
import type { Log } from "./logger.ts";
import { type Message, renderPlainly, renderReply } from "./render.ts";
import { brief } from "./summary.ts";
import { createUpdates, type Updated, type UpdateEvent } from "./updates.ts";

/** Durable messages in channels, and ephemeral ones for where no response_url is left. */
export type Cards = {
  /**
   * Posts a card in a channel, or to a user id as a direct message: the reference then names the conversation. Throws
   * where Slack fails. `no-way-in`: the bot is not in the channel, or it is closed.
   */
  post(reply: Reply, channel: string): Promise<CardReference | "no-way-in">;
  /** Writes into the thread below a card; whether Slack let it. Throws where Slack fails. */
  follow(reply: Reply, card: CardReference): Promise<boolean>;
  /** Brings a card to what the reply says, now or soon. `gone`: the card was deleted or the channel closed. */
  update(reply: Reply, card: CardReference): Promise<Updated>;
  /** A message that only this person sees; may get lost (Slack promises no delivery). Throws where Slack fails. */
  whisper(reply: Reply, channel: string, user: string): Promise<void>;
  /** Waits for updates that are under way or to be sent again; false where that took longer. */
  drain(timeoutMs: number): Promise<boolean>;
};

const noWayIn = new Set([
  "not_in_channel",
  "channel_not_found",
  "is_archived",
  "restricted_action",
  "restricted_action_read_only_channel",
  "no_permission",
  "ekm_access_denied",
  "team_access_not_granted",
  "messages_tab_disabled",
  "cannot_dm_bot",
  "user_disabled",
]);

const cardIsGone = new Set(["message_not_found", "cant_update_message", "edit_window_closed"]);

const badText = new Set(["msg_too_long"]);

const badMessage = new Set(["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", ...badText]);

/** getPermalink is nice to have: a card waits this long for it and no longer. */
const permalinkTimeoutMs = 500;

/** Whoever shows a card waits so long for it, and no longer: an operation goes on meanwhile. */
const patienceMs = 2_000;
const giveUpAfterMs = 10 * 60_000;

export type CardOptions = {
  /** For what is posted and whispered. */
  readonly client: webApi.WebClient;
  /** For updates alone: calls that hang there take no place of an answer. */
  readonly updating: webApi.WebClient;
  /** Such as `/np`. */
  readonly command: string;
  readonly log: Log;
  readonly onEvent: (name: UpdateEvent) => void;
  /** The card of an operation as it stands now. */
  readonly redraw?: ((operation: string) => Promise<Reply | undefined>) | undefined;
};

type Change = { readonly reply: Reply; readonly card: CardReference };

export function createCards({ client, updating, command, log, onEvent, redraw }: CardOptions): Cards {
  const send = (_: string, change: Change): Promise<"done" | "gone"> => update(updating, command, change);
  const refresh = async (change: Change): Promise<Change> => {
    const { operation } = change.reply;
    const reply = operation === undefined ? undefined : await redraw?.(operation);
    return reply === undefined ? change : { ...change, reply };
  };
  const updates = createUpdates<Change>({ send, refresh, patienceMs, giveUpAfterMs, log, onEvent });

  return {
    async post(reply, channel) {
      const posted = await post(client, channel, { reply, command });
      if (posted?.ts === undefined) return "no-way-in";
      const card = { channel: posted.channel ?? channel, ts: posted.ts };
      const permalink = await permalinkOf(client, card);
      return { ...card, ...(permalink === undefined ? {} : { permalink }) };
    },
    async follow(reply, { channel, ts }) {
      return (await post(client, channel, { reply, command, thread: ts })) !== undefined;
    },
    update: (reply, card) => updates.update(`${card.channel}/${card.ts}`, { reply, card }),
    drain: (timeoutMs) => updates.drain(timeoutMs),
    async whisper(reply, channel, user) {
      await withFallbacks(reply, command, (message) =>
        calling(() => client.chat.postEphemeral({ ...message, channel, user })),
      );
    },
  };
}

async function update(
  client: webApi.WebClient,
  command: string,
  { reply, card: { channel, ts } }: Change,
): Promise<"done" | "gone"> {
  try {
    // Without `parse`, chat.update falls back to `client`, which links names and addresses in the text.
    await withFallbacks(reply, command, (message) => client.chat.update({ ...message, channel, ts, parse: "none" }));
    return "done";
  } catch (error) {
    const why = refusal(error);
    if (why !== undefined && (cardIsGone.has(why) || noWayIn.has(why))) return "gone";
    throw error;
  }
}

type Rendering = { readonly reply: Reply; readonly command: string; readonly thread?: string };

/** Not repeated after silence: a second card of one operation is worse than the way round by response_url. */
async function post(client: webApi.WebClient, channel: string, { reply, command, thread }: Rendering) {
  const place = { channel, ...(thread === undefined ? {} : { thread_ts: thread }) };
  try {
    return await withFallbacks(reply, command, (message) =>
      calling(() => client.chat.postMessage({ ...message, ...place, unfurl_links: false, unfurl_media: false })),
    );
  } catch (error) {
    const why = refusal(error);
    if (why !== undefined && noWayIn.has(why)) return undefined;
    throw error;
  }
}

/** Where Slack refuses the text, the blocks stay as they are; where it refuses the blocks, an answer without form is left. */
function withFallbacks<T>(reply: Reply, command: string, send: (message: Message) => Promise<T>): Promise<T> {
  const whole = renderReply(reply, command);
  return send(whole)
    .catch(after(badText, () => send({ ...whole, text: brief(whole.text) })))
    .catch(after(badMessage, () => send(renderPlainly(reply))));
}

function after<T>(refusals: ReadonlySet<string>, otherwise: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => (refusals.has(refusal(error) ?? "") ? otherwise() : Promise.reject(error));
}

async function permalinkOf(
  client: webApi.WebClient,
  { channel, ts }: { readonly channel: string; readonly ts: string },
): Promise<string | undefined> {
  const asked = client.chat.getPermalink({ channel, message_ts: ts }).then(
    (answer) => answer.permalink,
    () => undefined,
  );
  return Promise.race([asked, wait(permalinkTimeoutMs, undefined, { ref: false })]);
}
