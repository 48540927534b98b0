import { type Answer, type Arguments, isSet, type Method, refuse, stringOf } from "./method.ts";
import { directMessage, type SandboxChannel, type SandboxUser, team } from "./people.ts";
import type { Workspace } from "./workspace.ts";

/** users.info, and what there is of conversations.*. */
export function directoryMethods(workspace: Workspace): readonly (readonly [string, Method])[] {
  return [
    ["users.info", (args) => userInfo(workspace, args)],
    ["conversations.open", (args) => openDirect(workspace, args)],
    ["conversations.info", (args) => channelInfo(workspace, args)],
    ["conversations.members", (args) => channelMembers(workspace, args)],
  ];
}

/** A channel the app may know of: private ones only as a member. */
export function visible(workspace: Workspace, args: Arguments): SandboxChannel | undefined {
  const channel = workspace.channel(stringOf(args, "channel") ?? "");
  if (channel === undefined) return undefined;
  return channel.isPrivate && !workspace.appIsIn(channel) ? undefined : channel;
}

/** A channel that the app may write in, named by the argument `channel`; else why not. */
export function writable(workspace: Workspace, args: Arguments): SandboxChannel | Answer {
  const channel = visible(workspace, args);
  if (channel === undefined) return refuse("channel_not_found");
  if (!workspace.appIsIn(channel)) return refuse("not_in_channel");
  return channel.isArchived ? refuse("is_archived") : channel;
}

function userInfo(workspace: Workspace, args: Arguments): Answer {
  const found = workspace.user(stringOf(args, "user") ?? "");
  return found === undefined ? refuse("user_not_found") : { ok: true, user: wireUser(found) };
}

/** A deleted account lacks most flags, as the server's does; is_stranger appears for people of other workspaces only. */
function wireUser(user: SandboxUser): Readonly<Record<string, unknown>> {
  const profile = { real_name: user.displayName, display_name: user.displayName, team: user.team };
  const base = { id: user.id, team_id: user.team, name: user.name, deleted: user.deleted, profile, is_bot: user.isBot };
  if (user.deleted) return base;
  return {
    ...base,
    real_name: user.displayName,
    tz: "Etc/UTC",
    is_admin: false,
    is_owner: false,
    is_restricted: user.isRestricted,
    is_ultra_restricted: user.isUltraRestricted,
    is_app_user: false,
    ...(user.team !== team.id && { is_stranger: user.isStranger }),
  };
}

function channelInfo(workspace: Workspace, args: Arguments): Answer {
  const found = visible(workspace, args);
  if (found === undefined) return refuse("channel_not_found");
  return { ok: true, channel: found.isIm ? wireDirect(found) : wireChannel(found, workspace.appIsIn(found)) };
}

/** With one person; Slack can do more. */
function openDirect(workspace: Workspace, args: Arguments): Answer {
  const person = workspace.user(stringOf(args, "users") ?? "");
  if (person === undefined) return refuse("user_not_found");
  if (person.deleted) return refuse("user_disabled");
  if (person.isBot) return refuse("cannot_dm_bot");
  const { id } = directMessage(person);
  return { ok: true, channel: { id, ...(isSet(args, "return_im") && { is_im: true, user: person.id }) } };
}

function wireChannel(channel: SandboxChannel, isMember: boolean): Readonly<Record<string, unknown>> {
  return {
    id: channel.id,
    name: channel.name,
    is_channel: true,
    is_group: false,
    is_im: false,
    is_mpim: false,
    is_private: channel.isPrivate,
    is_archived: channel.isArchived,
    is_general: false,
    is_shared: channel.isExtShared,
    is_ext_shared: channel.isExtShared,
    is_pending_ext_shared: channel.isPendingExtShared,
    is_org_shared: false,
    is_member: isMember,
    context_team_id: team.id,
    shared_team_ids: [team.id],
  };
}

/** A direct message lacks most of what a channel has. */
function wireDirect(channel: SandboxChannel): Readonly<Record<string, unknown>> {
  const base = { id: channel.id, is_channel: false, is_im: true, is_archived: false, is_org_shared: false };
  return { ...base, user: channel.members[0], context_team_id: team.id };
}

/** Paged by `limit` (100 where absent) and `cursor`, which is where the next page starts. */
function channelMembers(workspace: Workspace, args: Arguments): Answer {
  const found = visible(workspace, args);
  if (found === undefined) return refuse("channel_not_found");
  const limit = Number(args.get("limit") ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) return refuse("invalid_limit");
  const start = Number(stringOf(args, "cursor") ?? 0);
  if (!Number.isInteger(start) || start < 0) return refuse("invalid_cursor");
  const end = start + limit;
  return {
    ok: true,
    members: found.members.slice(start, end),
    response_metadata: { next_cursor: end < found.members.length ? String(end) : "" },
  };
}
