import { commandEnvelope, locateButton, pressEnvelope } from "./deliveries.ts";
import type { Delivery, Dispatch, How } from "./dispatch.ts";
import { createModals, type Modals } from "./modals.ts";
import type { SandboxUser } from "./people.ts";
import type { ResponseUrls } from "./response-url.ts";
import type { Envelope } from "./socket.ts";
import type { Triggers } from "./triggers.ts";
import type { Views } from "./views.ts";
import type { Message, Workspace } from "./workspace.ts";

/** What people do in the workspace, and what they see. Nothing here passes through the app's token. */
export type Driver = Modals & {
  /**
   * Types a slash command (`/np` where none is given). Throws where the user or the channel is unknown. Answers when
   * the app has acknowledged, or has not in time; what the app does after that is not waited for.
   */
  command(input: CommandInput): Promise<Delivery>;
  /** The envelope of a command, not delivered: for `deliver`, and for forged requests. */
  compose(input: CommandInput): Envelope;
  /** Delivers an envelope that was composed: late, or over a certain connection. */
  readonly deliver: Dispatch["deliver"];
  /**
   * Presses a button by its action_id or its number from 0. `message` may be an older value of a message: a press on
   * what the user's client still showed. Throws where that user could not have seen it, or there is no such button.
   */
  press(input: PressInput): Promise<Delivery>;
  /** The envelope of a press, not delivered. */
  composePress(input: PressInput): Envelope;
  /** Writes a plain message into a channel. */
  say(input: { readonly user: string; readonly channel: string; readonly text: string }): Message;
  /** The same envelope again, all at once. */
  deliverAgain(delivery: Delivery, times: number, how?: How): Promise<readonly Delivery[]>;
  /** Messages that everybody in the channel sees, oldest first. */
  messages(channel: string): readonly Message[];
  ephemerals(user: string, channel?: string): readonly Message[];
  /** The message as it stands now; undefined where it is deleted. */
  current(message: Message): Message | undefined;
  /** The first message or ephemeral, already there or to come, that satisfies it; throws after `timeoutMs` (10 000). */
  waitForMessage(predicate: (message: Message) => boolean, timeoutMs?: number): Promise<Message>;
  /** Calls back on every posted, updated or deleted message and ephemeral; the answer ends that. */
  readonly watch: Workspace["watch"];
  /** Invites or removes people and the app. */
  readonly setMembers: Workspace["setMembers"];
  /** Who belongs to a user group. */
  readonly setGroup: Workspace["setGroup"];
  readonly user: Workspace["user"];
  readonly channel: Workspace["channel"];
};

export type CommandInput = {
  readonly user: string;
  readonly channel: string;
  readonly text: string;
  readonly command?: string;
};

export type PressInput = {
  readonly user: string;
  readonly message: Message;
  readonly button: string | number;
};

export type DriverParts = {
  readonly workspace: Workspace;
  readonly dispatch: Dispatch;
  readonly views: Views;
  readonly triggers: Triggers;
  readonly responseUrls: ResponseUrls;
  readonly now: () => number;
  /** `http://127.0.0.1:1234`. */
  readonly origin: () => string;
};

export function createDriver(parts: DriverParts): Driver {
  const { workspace, dispatch } = parts;
  const person = (id: string): SandboxUser => known(workspace.user(id), id);
  const compose = (input: CommandInput): Envelope => composeCommand(parts, input);
  const composePress = (input: PressInput): Envelope => composeButton(parts, input);
  return {
    ...createModals({ ...parts, person }),
    command: async (input) => dispatch.deliver(compose(input)),
    compose,
    deliver: dispatch.deliver,
    press: async (input) => dispatch.deliver(composePress(input)),
    composePress,
    say: ({ user, channel, text }) =>
      workspace.post({ channel, author: user, text, blocks: [], ephemeralTo: undefined, threadTs: undefined }),
    deliverAgain: (delivery, times, how) =>
      Promise.all(Array.from({ length: times }, () => dispatch.deliver(delivery.envelope, how))),
    messages: (channel) =>
      workspace.all().filter((message) => message.channel === channel && message.ephemeralTo === undefined),
    ephemerals: (user, channel) =>
      workspace
        .all()
        .filter((message) => message.ephemeralTo === user && (channel === undefined || message.channel === channel)),
    current: (message) => workspace.find(message.channel, message.ts),
    waitForMessage: (predicate, timeoutMs = 10_000) => waitForMessage(workspace, predicate, timeoutMs),
    watch: workspace.watch,
    setMembers: workspace.setMembers,
    setGroup: workspace.setGroup,
    user: workspace.user,
    channel: workspace.channel,
  };
}

function composeCommand(parts: DriverParts, { user, channel, text, command = "/np" }: CommandInput): Envelope {
  const { workspace } = parts;
  const invocation = { user: known(workspace.user(user), user), channel: known(workspace.channel(channel), channel) };
  return commandEnvelope({ ...invocation, command, text }, issueHandles(parts, { user, channel, origin: undefined }));
}

function composeButton(parts: DriverParts, { user, message, button }: PressInput): Envelope {
  const { workspace } = parts;
  if (message.ephemeralTo !== undefined && message.ephemeralTo !== user) throw new Error(`${user} cannot see that`);
  const index = locateButton(message.blocks, button);
  if (index === undefined) throw new Error(`no button ${button} on message ${message.ts}: ${message.text}`);
  const channel = known(workspace.channel(message.channel), message.channel);
  const handles = issueHandles(parts, { user, channel: channel.id, origin: message });
  return pressEnvelope({ user: known(workspace.user(user), user), channel, message }, index, handles);
}

function issueHandles(parts: DriverParts, target: Parameters<ResponseUrls["issue"]>[0]) {
  return {
    responseUrl: `${parts.origin()}${parts.responseUrls.issue(target)}`,
    triggerId: parts.triggers.issue(target.user),
    now: parts.now(),
  };
}

function waitForMessage(
  workspace: Workspace,
  predicate: (message: Message) => boolean,
  timeoutMs: number,
): Promise<Message> {
  const late = (): string => {
    const seen = workspace.all().map((message) => message.text);
    return `no such message within ${timeoutMs} ms; seen: ${JSON.stringify(seen)}`;
  };
  return workspace.until(() => workspace.all().find(predicate), timeoutMs, late);
}

/** Throws where there is none: a test that names somebody wrongly. */
export function known<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new Error(`the sandbox Slack knows no ${id}`);
  return value;
}
