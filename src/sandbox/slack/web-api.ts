import { chatMethods } from "./chat.ts";
import { directoryMethods } from "./directory.ts";
import { type Answer, type Arguments, type Method, refuse, stringOf } from "./method.ts";
import { app, team } from "./people.ts";
import type { SocketHub } from "./socket.ts";
import type { Triggers } from "./triggers.ts";
import type { Workspace } from "./workspace.ts";

export type WebApi = {
  /** `token` from the Authorization header or the `token` argument. */
  call(method: string, token: string | undefined, args: Arguments): Answer;
};

export type WebApiParts = {
  readonly workspace: Workspace;
  readonly hub: SocketHub;
  readonly triggers: Triggers;
  readonly botToken: string;
  readonly appToken: string;
  /** `127.0.0.1:1234`. */
  readonly host: () => string;
};

/** Methods by their names on docs.slack.dev/reference/methods, with the error names given there. */
export function createWebApi(parts: WebApiParts): WebApi {
  const methods = new Map<string, Method>([
    ["auth.test", identity],
    ["apps.connections.open", () => ({ ok: true, url: `ws://${parts.host()}${parts.hub.issueTicket()}` })],
    ["views.open", (args) => openView(parts.triggers, args)],
    ...chatMethods(parts.workspace),
    ...directoryMethods(parts.workspace),
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

/** Only what a caller can get wrong in time: the trigger. What the view holds is not judged. */
function openView(triggers: Triggers, args: Arguments): Answer {
  const trigger = stringOf(args, "trigger_id");
  if (trigger === undefined || args.get("view") === undefined) return refuse("invalid_arguments");
  const error = triggers.exchange(trigger);
  return error === undefined ? { ok: true, view: { id: "V0SANDBOX", hash: "0.sandbox" } } : refuse(error);
}
