import type { Dispatcher } from "undici";
import type { Config } from "./config.ts";
import type { NeededSecret } from "./config-environment.ts";
import type { SlackConfig } from "./slack/receive.ts";

type Given = Readonly<Record<"bot" | "app" | "signing", string | undefined>>;

/** The secrets that the bot needs for the way to Slack that the document, as it was written, names. */
export function neededForSlack({ bot, app, signing }: Given, document: unknown): readonly NeededSecret[] {
  return [
    {
      name: "SLACK_BOT_TOKEN",
      value: bot,
      what: "a bot token (xoxb-…, from the Slack app's page)",
      form: /^(xoxe\.)?xoxb-\S+$/,
    },
    isHttp(document)
      ? {
          name: "SLACK_SIGNING_SECRET",
          value: signing,
          what: "the signing secret (Basic Information on the Slack app's page; slack.mode is http)",
          form: /^\S{16,}$/,
        }
      : {
          name: "SLACK_APP_TOKEN",
          value: app,
          what: "an app-level token (xapp-…, with connections:write)",
          form: /^xapp-\S+$/,
        },
  ];
}

/** What the Slack room needs of the configuration, which holds the secrets that are needed. */
export function slackConfig({ slack, settings }: Config, dispatcher?: Dispatcher): SlackConfig {
  const { mode, botToken = "", appToken = "", signingSecret = "", port, apiUrl, command, teams } = slack;
  const way = mode === "socket" ? ({ mode, appToken } as const) : ({ mode, signingSecret, port } as const);
  const named = settings.access.rules.flatMap(({ principals }) => principals);
  const groups = [...new Set(named.filter((key) => key.startsWith("slack-group:")))];
  return { botToken, way, apiUrl, command, teams, groups, dispatcher };
}

function isHttp(document: unknown): boolean {
  const slack = memberOf(document, "slack");
  return memberOf(slack, "mode") === "http";
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
