import { type Answer, type Arguments, isSet, type Method, refuse, stringOf } from "./method.ts";
import { type SandboxGroup, team } from "./people.ts";
import type { Workspace } from "./workspace.ts";

/** Whether the workspace pays: a free one has no user groups. */
export type Plan = "paid" | "free";

/** usergroups.list and usergroups.users.list. */
export function groupMethods(workspace: Workspace, plan: () => Plan): readonly (readonly [string, Method])[] {
  const paid = (method: Method): Method => {
    return (args) => (plan() === "paid" ? method(args) : refuse("plan_upgrade_required"));
  };
  return [
    ["usergroups.list", paid((args) => list(workspace, args))],
    ["usergroups.users.list", paid((args) => users(workspace, args))],
  ];
}

function list(workspace: Workspace, args: Arguments): Answer {
  const shown = workspace.groups().filter(({ disabled }) => !disabled || isSet(args, "include_disabled"));
  const withUsers = isSet(args, "include_users");
  return { ok: true, usergroups: shown.map((group) => wireGroup(group, withUsers ? group.members : undefined)) };
}

/** The server lists deactivated people too where the group still has them. */
function users(workspace: Workspace, args: Arguments): Answer {
  const group = workspace.groups().find(({ id }) => id === stringOf(args, "usergroup"));
  if (group === undefined) return refuse("no_such_subteam");
  if (group.disabled && !isSet(args, "include_disabled")) return refuse("subteam_disabled");
  return { ok: true, users: group.members };
}

function wireGroup(group: SandboxGroup, users: readonly string[] | undefined): Readonly<Record<string, unknown>> {
  return {
    id: group.id,
    team_id: team.id,
    is_usergroup: true,
    is_subteam: true,
    name: group.name,
    description: "",
    handle: group.handle,
    is_external: false,
    date_create: 1_700_000_000,
    date_update: 1_700_000_000,
    date_delete: group.disabled ? 1_700_000_000 : 0,
    user_count: group.members.length,
    ...(users !== undefined && { users }),
  };
}
