import { chatMethods } from "./chat.ts";
import { directoryMethods } from "./directory.ts";
import type { Files } from "./files.ts";
import type { Homes } from "./homes.ts";
import { type Answer, type Arguments, type Method, refuse } from "./method.ts";
import { app, team } from "./people.ts";
import type { SocketHub } from "./socket.ts";
import type { Triggers } from "./triggers.ts";
import { groupMethods, type Plan } from "./user-groups.ts";
import { viewMethods } from "./view-methods.ts";
import type { Views } from "./views.ts";
import type { Workspace } from "./workspace.ts";

export type WebApi = {
  /** `token` from the Authorization header or the `token` argument. */
  call(method: string, token: string | undefined, args: Arguments): Answer;
};

export type WebApiParts = {
  readonly workspace: Workspace;
  readonly hub: SocketHub;
  readonly triggers: Triggers;
  readonly views: Views;
  readonly files: Files;
  readonly homes: Homes;
  readonly plan: () => Plan;
  readonly botToken: string;
  readonly appToken: string;
  /** `http://127.0.0.1:1234`. */
  readonly origin: () => string;
};

/** Methods by their names on docs.slack.dev/reference/methods, with the error names given there. */
export function createWebApi(parts: WebApiParts): WebApi {
  const methods = new Map<string, Method>([
    ["auth.test", identity],
    [
      "apps.connections.open",
      () => ({ ok: true, url: parts.origin().replace("http", "ws") + parts.hub.issueTicket() }),
    ],
    ...viewMethods(parts.views, parts.triggers),
    ...parts.homes.methods,
    ...chatMethods(parts.workspace),
    ...directoryMethods(parts.workspace),
    ...parts.files.methods,
    ...groupMethods(parts.workspace, parts.plan),
  ]);
  return {
    call: (name, token, args) => {
      const method = methods.get(name);
      if (method === undefined) return refuse("unknown_method");
      return refuseToken(name, token, parts) ?? method(args);
    },
  };
}

function refuseToken(method: string, token: string | undefined, parts: WebApiParts): Answer | undefined {
  if (token === undefined) return refuse("not_authed");
  if (token !== parts.botToken && token !== parts.appToken) return refuse("invalid_auth");
  const needed = method === "apps.connections.open" ? parts.appToken : parts.botToken;
  return token === needed ? undefined : refuse("not_allowed_token_type");
}

function identity(): Answer {
  return {
    ok: true,
    url: `https://${team.domain}.slack.com/`,
    team: team.name,
    user: app.name,
    team_id: team.id,
    user_id: app.botUser,
    bot_id: app.botId,
    is_enterprise_install: false,
  };
}
