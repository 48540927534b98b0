/** A person or bot as `users.info` knows them. Every string may be hostile: people choose their own names. */
export type SandboxUser = {
  readonly id: string;
  /** The handle, as in `@alice`. */
  readonly name: string;
  readonly displayName: string;
  /** The workspace the account belongs to; a foreign one for somebody from a shared channel. */
  readonly team: string;
  readonly isBot: boolean;
  /** A guest of several channels. */
  readonly isRestricted: boolean;
  /** A guest of one channel. */
  readonly isUltraRestricted: boolean;
  /** Somebody from elsewhere who shares no channel with the workspace's members. */
  readonly isStranger: boolean;
  readonly deleted: boolean;
};

export type SandboxChannel = {
  readonly id: string;
  /** Without `#`. */
  readonly name: string;
  readonly isPrivate: boolean;
  readonly isExtShared: boolean;
  readonly isPendingExtShared: boolean;
  readonly isArchived: boolean;
  /** A direct message between the app and the one other member. */
  readonly isIm: boolean;
  /** User ids; the app is in the channel where its bot user is among them. */
  readonly members: readonly string[];
};

/** A user group as `usergroups.list` knows it. */
export type SandboxGroup = {
  readonly id: string;
  /** Without `@`. */
  readonly handle: string;
  readonly name: string;
  /** User ids, deleted people among them. */
  readonly members: readonly string[];
  readonly disabled: boolean;
};

/** The workspace and the app that is installed in it. */
export const team = { id: "T0ACME", domain: "acme", name: "Acme" } as const;
export const app = { id: "A0BULKHEAD", botId: "B0BULKHEAD", botUser: "U0BULKHEAD", name: "bulkhead" } as const;

/** A user like any other, with what differs. */
export function user(id: string, name: string, differing: Partial<SandboxUser> = {}): SandboxUser {
  return {
    id,
    name,
    displayName: name.charAt(0).toUpperCase() + name.slice(1),
    team: team.id,
    isBot: false,
    isRestricted: false,
    isUltraRestricted: false,
    isStranger: false,
    deleted: false,
    ...differing,
  };
}

/** A public channel, with what differs. */
export function channel(id: string, name: string, differing: Partial<SandboxChannel> = {}): SandboxChannel {
  return {
    id,
    name,
    isPrivate: false,
    isExtShared: false,
    isPendingExtShared: false,
    isArchived: false,
    isIm: false,
    members: [],
    ...differing,
  };
}

/** One of every kind that Bulkhead has to tell apart. */
export const defaultUsers: readonly SandboxUser[] = [
  user("U0ALICE", "alice"),
  user("U0BOB", "bob"),
  user("U0CAROL", "carol"),
  user("U0DEPLOY", "deploybot", { isBot: true }),
  user("U0GUEST", "gina", { isRestricted: true }),
  user("U0ULTRA", "uma", { isRestricted: true, isUltraRestricted: true }),
  user("U0STRANGER", "stan", { isStranger: true, team: "T0OTHER" }),
  user("U0FOREIGN", "fay", { team: "T0OTHER" }),
  user("U0GONE", "gus", { deleted: true }),
];

const everyone = defaultUsers.map(({ id }) => id);
const withApp = [...everyone, app.botUser];

export const defaultChannels: readonly SandboxChannel[] = [
  channel("C0INCIDENT", "incidents", { members: withApp }),
  channel("C0RANDOM", "random", { members: everyone }),
  channel("C0PRIVATE", "war-room", { isPrivate: true, members: ["U0ALICE", "U0BOB", app.botUser] }),
  channel("C0SECRET", "board", { isPrivate: true, members: ["U0CAROL"] }),
  channel("C0SHARED", "with-partner", { isExtShared: true, members: withApp }),
  channel("C0PENDING", "with-partner-soon", { isPendingExtShared: true, members: withApp }),
  channel("C0OLD", "archive", { isArchived: true, members: withApp }),
];

/** `@oncall` and `@platform`, and one that was disabled. */
export const defaultGroups: readonly SandboxGroup[] = [
  { id: "S0ONCALL", handle: "oncall", name: "On call", members: ["U0CAROL", "U0GONE"], disabled: false },
  { id: "S0PLATFORM", handle: "platform", name: "Platform team", members: ["U0BOB"], disabled: false },
  { id: "S0OLD", handle: "old-team", name: "Old team", members: ["U0CAROL"], disabled: true },
];

/** The direct message of the app with that person. */
export function directMessage(user: SandboxUser): SandboxChannel {
  const id = `D${user.id.slice(1)}`;
  return channel(id, "directmessage", { isIm: true, isPrivate: true, members: [user.id, app.botUser] });
}
