import type { Block } from "./blocks.ts";
import { createListeners, type Listeners } from "./listeners.ts";
import {
  app,
  defaultChannels,
  defaultGroups,
  defaultUsers,
  directMessage,
  type SandboxChannel,
  type SandboxGroup,
  type SandboxUser,
  user,
} from "./people.ts";
import type { SandboxFile } from "./shared-file.ts";

/** A message as it stands, or stood: an update makes a new value under the same (channel, ts). */
export type Message = {
  readonly channel: string;
  /** Unique in its channel; a string, never a number. */
  readonly ts: string;
  /** User id of the author: the app's bot user, or `USLACKBOT` for what Slack itself says. */
  readonly author: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The only user who sees it; undefined for a message of the channel. */
  readonly ephemeralTo: string | undefined;
  readonly threadTs: string | undefined;
  readonly edited: boolean;
  /** What was shared with it. */
  readonly files?: readonly SandboxFile[];
};

export type Content = Pick<Message, "text" | "blocks">;
export type Draft = Content & Pick<Message, "channel" | "author" | "ephemeralTo" | "threadTs" | "files">;
export type Change = { readonly kind: "posted" | "updated" | "deleted"; readonly message: Message };

/** What the workspace holds, in memory. Rules about who may do what are the callers'. */
export type Workspace = {
  readonly user: (id: string) => SandboxUser | undefined;
  /** Direct messages with the app are there from the start, `D0ALICE` for `U0ALICE`. */
  readonly channel: (id: string) => SandboxChannel | undefined;
  readonly groups: () => readonly SandboxGroup[];
  /** Who belongs to a user group. */
  readonly setGroup: (id: string, members: readonly string[]) => void;
  /** The app's direct messages with that user; undefined for bots and who has left. */
  readonly direct: (user: string) => SandboxChannel | undefined;
  /** Whether the app's bot user is in that channel. */
  appIsIn(channel: SandboxChannel): boolean;
  readonly setMembers: (channel: string, members: readonly string[]) => void;
  post(draft: Draft): Message;
  /** The message as it stands now; undefined where it never was or is deleted. */
  find(channel: string, ts: string): Message | undefined;
  update(message: Message, content: Content): Message;
  remove(message: Message): void;
  /** Oldest first. */
  all(): readonly Message[];
  /** Calls back on every change; the answer ends that. */
  readonly watch: Listeners<Change>["watch"];
  readonly until: Listeners<Change>["until"];
};

export type WorkspaceOptions = {
  readonly now: () => number;
  readonly users?: readonly SandboxUser[] | undefined;
  readonly channels?: readonly SandboxChannel[] | undefined;
  readonly groups?: readonly SandboxGroup[] | undefined;
};

export function createWorkspace(options: WorkspaceOptions): Workspace {
  const users = keyed([...(options.users ?? defaultUsers), user(app.botUser, app.name, { isBot: true })]);
  const direct = [...users.values()].filter(({ isBot }) => !isBot).map(directMessage);
  const channels = keyed([...(options.channels ?? defaultChannels), ...direct]);
  const groups = keyed(options.groups ?? defaultGroups);
  const messages = new Map<string, Message>();
  const listeners = createListeners<Change>();
  const nextTs = timestamps(options.now);

  const record = (kind: Change["kind"], message: Message): Message => {
    if (kind === "deleted") messages.delete(keyOf(message));
    else messages.set(keyOf(message), message);
    listeners.tell({ kind, message });
    return message;
  };

  return {
    user: (id) => users.get(id),
    channel: (id) => channels.get(id),
    direct: (id) => {
      const person = users.get(id);
      return person === undefined || person.isBot || person.deleted
        ? undefined
        : channels.get(directMessage(person).id);
    },
    groups: () => [...groups.values()],
    setGroup: (id, members) => {
      const group = groups.get(id);
      if (group !== undefined) groups.set(id, { ...group, members });
    },
    appIsIn: (channel) => channel.members.includes(app.botUser),
    setMembers: (id, members) => {
      const channel = channels.get(id);
      if (channel !== undefined) channels.set(id, { ...channel, members });
    },
    post: (draft) => record("posted", { ...draft, ts: nextTs(), edited: false }),
    find: (channel, ts) => messages.get(keyOf({ channel, ts })),
    update: (message, content) => record("updated", { ...message, ...content, edited: true }),
    remove: (message) => void record("deleted", message),
    all: () => [...messages.values()],
    watch: listeners.watch,
    until: listeners.until,
  };
}

function keyed<T extends { readonly id: string }>(values: readonly T[]): Map<string, T> {
  return new Map(values.map((value) => [value.id, value]));
}

function keyOf(message: Pick<Message, "channel" | "ts">): string {
  return `${message.channel}/${message.ts}`;
}

/** `1700000000.000100`: seconds, and a counter where Slack has microseconds, so that no two are alike. */
function timestamps(now: () => number): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `${Math.floor(now() / 1_000)}.${String(count).padStart(6, "0")}`;
  };
}
