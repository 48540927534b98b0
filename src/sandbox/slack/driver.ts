import type { Acknowledgement } from "./acknowledgements.ts";
import { commandEnvelope, locateButton, pressEnvelope } from "./deliveries.ts";
import { contentOf, postReply, type ResponseUrls, readResponseBody } from "./response-url.ts";
import type { Envelope, SocketHub } from "./socket.ts";
import type { Triggers } from "./triggers.ts";
import type { Message, Workspace } from "./workspace.ts";

/** One envelope on its way to the app, and what the app's side made of it. */
export type Delivery = {
  readonly envelope: Envelope;
  readonly acknowledgement: Acknowledgement;
  /** What the user saw at once: the acknowledgement's text or Slack's complaint; undefined where that was empty. */
  readonly shown: Message | undefined;
};

/** What people do in the workspace, and what they see. Nothing here passes through the app's token. */
export type Driver = {
  /**
   * Types a slash command (`/np` where none is given). Throws where the user or the channel is unknown. Answers when
   * the app has acknowledged, or has not in time; what the app does after that is not waited for.
   */
  command(input: {
    readonly user: string;
    readonly channel: string;
    readonly text: string;
    readonly command?: string;
  }): Promise<Delivery>;
  /**
   * Presses a button by its action_id or its number from 0. `message` may be an older value of a message: a press on
   * what the user's client still showed. Throws where that user could not have seen it, or there is no such button.
   */
  press(input: {
    readonly user: string;
    readonly message: Message;
    readonly button: string | number;
  }): Promise<Delivery>;
  /** Writes a plain message into a channel. */
  say(input: { readonly user: string; readonly channel: string; readonly text: string }): Message;
  /** The same envelope again, all at once. */
  deliverAgain(delivery: Delivery, times: number): Promise<readonly Delivery[]>;
  /** Messages that everybody in the channel sees, oldest first. */
  messages(channel: string): readonly Message[];
  ephemerals(user: string, channel?: string): readonly Message[];
  /** The message as it stands now; undefined where it is deleted. */
  current(message: Message): Message | undefined;
  /** The first message or ephemeral, already there or to come, that satisfies it; throws after `timeoutMs` (5 000). */
  waitForMessage(predicate: (message: Message) => boolean, timeoutMs?: number): Promise<Message>;
  /** Calls back on every posted, updated or deleted message and ephemeral; the answer ends that. */
  readonly watch: Workspace["watch"];
  /** Invites or removes people and the app. */
  readonly setMembers: Workspace["setMembers"];
  readonly user: Workspace["user"];
  readonly channel: Workspace["channel"];
};

export type DriverParts = {
  readonly workspace: Workspace;
  readonly hub: SocketHub;
  readonly triggers: Triggers;
  readonly responseUrls: ResponseUrls;
  readonly now: () => number;
  /** `http://127.0.0.1:1234`. */
  readonly origin: () => string;
};

export function createDriver(parts: DriverParts): Driver {
  const { workspace } = parts;
  return {
    command: async ({ user, channel, text, command = "/np" }) => {
      const invocation = {
        user: known(workspace.user(user), user),
        channel: known(workspace.channel(channel), channel),
      };
      const handles = issueHandles(parts, { user, channel, origin: undefined });
      return deliver(parts, commandEnvelope({ ...invocation, command, text }, handles));
    },
    press: async ({ user, message, button }) => {
      if (message.ephemeralTo !== undefined && message.ephemeralTo !== user) throw new Error(`${user} cannot see that`);
      const index = locateButton(message.blocks, button);
      if (index === undefined) throw new Error(`no button ${button} on message ${message.ts}: ${message.text}`);
      const channel = known(workspace.channel(message.channel), message.channel);
      const handles = issueHandles(parts, { user, channel: channel.id, origin: message });
      const press = { user: known(workspace.user(user), user), channel, message };
      return deliver(parts, pressEnvelope(press, index, handles));
    },
    say: ({ user, channel, text }) =>
      workspace.post({ channel, author: user, text, blocks: [], ephemeralTo: undefined, threadTs: undefined }),
    deliverAgain: (delivery, times) =>
      Promise.all(Array.from({ length: times }, () => deliver(parts, delivery.envelope))),
    messages: (channel) =>
      workspace.all().filter((message) => message.channel === channel && message.ephemeralTo === undefined),
    ephemerals: (user, channel) =>
      workspace
        .all()
        .filter((message) => message.ephemeralTo === user && (channel === undefined || message.channel === channel)),
    current: (message) => workspace.find(message.channel, message.ts),
    waitForMessage: (predicate, timeoutMs = 5_000) => waitForMessage(workspace, predicate, timeoutMs),
    watch: workspace.watch,
    setMembers: workspace.setMembers,
    user: workspace.user,
    channel: workspace.channel,
  };
}

function issueHandles(parts: DriverParts, target: Parameters<ResponseUrls["issue"]>[0]) {
  return {
    responseUrl: `${parts.origin()}${parts.responseUrls.issue(target)}`,
    triggerId: parts.triggers.issue(),
    now: parts.now(),
  };
}

async function deliver(parts: DriverParts, envelope: Envelope): Promise<Delivery> {
  const acknowledgement = await parts.hub.deliver(envelope);
  const shown = envelope.type === "slash_commands" ? show(parts.workspace, envelope, acknowledgement) : undefined;
  return { envelope, acknowledgement, shown };
}

/** Shows the person who typed a command what its acknowledgement said, or how Slack words that there was none. */
function show(workspace: Workspace, envelope: Envelope, acknowledgement: Acknowledgement): Message | undefined {
  const target = { channel: String(envelope.payload["channel_id"]), user: String(envelope.payload["user_id"]) };
  const complain = (error: string) =>
    workspace.post({
      channel: target.channel,
      author: "USLACKBOT",
      text: `${String(envelope.payload["command"])} failed with the error "${error}"`,
      blocks: [],
      ephemeralTo: target.user,
      threadTs: undefined,
    });
  if (acknowledgement.kind === "timed-out") return complain("operation_timeout");
  if (acknowledgement.kind === "no-connection") return complain("dispatch_failed");
  const body = readResponseBody(acknowledgement.payload);
  if (body === undefined || (body.text === "" && body.blocks === undefined)) return undefined;
  const content = contentOf(body.text, body.blocks);
  return "error" in content ? complain(content.error) : postReply(workspace, target, { ...body, ...content });
}

function waitForMessage(
  workspace: Workspace,
  predicate: (message: Message) => boolean,
  timeoutMs: number,
): Promise<Message> {
  const present = workspace.all().find(predicate);
  if (present !== undefined) return Promise.resolve(present);
  return new Promise((resolve, reject) => {
    const stop = workspace.watch(({ kind, message }) => {
      if (kind === "deleted" || !predicate(message)) return;
      settle();
      resolve(message);
    });
    const limit = setTimeout(() => {
      stop();
      const seen = workspace.all().map((message) => message.text);
      reject(new Error(`no such message within ${timeoutMs} ms; seen: ${JSON.stringify(seen)}`));
    }, timeoutMs);
    const settle = () => {
      stop();
      clearTimeout(limit);
    };
  });
}

function known<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new Error(`the sandbox Slack knows no ${id}`);
  return value;
}
