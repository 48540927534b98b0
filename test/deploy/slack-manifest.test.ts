import { expect, it } from "vitest";
import { readYaml } from "./manifests.ts";

type SlackManifest = {
  readonly _metadata: { readonly major_version: number };
  readonly display_information: { readonly name: string; readonly description: string };
  readonly features: { readonly slash_commands: readonly SlashCommand[]; readonly bot_user: { display_name: string } };
  readonly oauth_config: { readonly scopes: Readonly<Record<string, readonly string[]>> };
  readonly settings: Readonly<Record<string, unknown>>;
};

type SlashCommand = {
  readonly command: string;
  readonly description: string;
  readonly usage_hint: string;
  readonly should_escape: boolean;
  readonly url?: string;
};

const manifest = readYaml<SlackManifest>("deploy/slack-manifest.yaml");

it("keeps within Slack's limits for manifests", () => {
  expect([1, 2]).toContain(manifest._metadata.major_version);
  expect(manifest.display_information.name.length).toBeLessThanOrEqual(35);
  expect(manifest.display_information.description.length).toBeLessThanOrEqual(140);
  expect(manifest.features.slash_commands.length).toBeLessThanOrEqual(50);
  for (const { command, description, usage_hint } of manifest.features.slash_commands) {
    expect(command.length).toBeLessThanOrEqual(32);
    expect(description.length).toBeLessThanOrEqual(2000);
    expect(usage_hint.length).toBeLessThanOrEqual(1000);
  }
});

it("declares /np, whose users arrive as ids, over Socket Mode with buttons", () => {
  expect(manifest.features.slash_commands.map(({ command, should_escape }) => ({ command, should_escape }))).toEqual([
    { command: "/np", should_escape: true },
  ]);
  expect(manifest.features.slash_commands[0]).not.toHaveProperty("url");
  expect(manifest.settings).toMatchObject({ socket_mode_enabled: true, interactivity: { is_enabled: true } });
});

it("has a home tab, and is told when somebody opens it", () => {
  expect(manifest.features).toMatchObject({ app_home: { home_tab_enabled: true, messages_tab_enabled: true } });
  expect(manifest.settings).toMatchObject({ event_subscriptions: { bot_events: ["app_home_opened"] } });
});

it("names in its hint the commands that there are", () => {
  for (const verb of ["quarantine", "release", "status", "explain", "audit", "verify-enforcement", "whoami", "help"]) {
    expect(manifest.features.slash_commands[0]!.usage_hint).toContain(verb);
  }
});

it("asks for no scope beyond the seven, and for none of a person", () => {
  expect(manifest.oauth_config.scopes).toEqual({
    bot: ["commands", "chat:write", "users:read", "channels:read", "groups:read", "usergroups:read", "files:write"],
  });
});
