import { randomUUID } from "node:crypto";
import { type Block, buttonsOf } from "./blocks.ts";
import { wireMessage } from "./chat.ts";
import { app, type SandboxChannel, type SandboxUser, team } from "./people.ts";
import type { Envelope } from "./socket.ts";
import type { Message } from "./workspace.ts";

/** Fields of both kinds of payload that the sender has to make first. */
export type Handles = { readonly responseUrl: string; readonly triggerId: string; readonly now: number };

export type CommandInvocation = {
  readonly user: SandboxUser;
  readonly channel: SandboxChannel;
  readonly command: string;
  readonly text: string;
};

/** A slash command as Socket Mode sends it. Fields: @slack/bolt 5.1, SlashCommand; `is_enterprise_install` is a string. */
export function commandEnvelope(invocation: CommandInvocation, handles: Handles): Envelope {
  const { user, channel } = invocation;
  return envelope("slash_commands", {
    token: "deprecated",
    team_id: user.team,
    team_domain: user.team === team.id ? team.domain : "elsewhere",
    channel_id: channel.id,
    channel_name: shownName(channel),
    user_id: user.id,
    user_name: user.name,
    command: invocation.command,
    text: invocation.text,
    api_app_id: app.id,
    is_enterprise_install: "false",
    response_url: handles.responseUrl,
    trigger_id: handles.triggerId,
  });
}

export type Press = {
  readonly user: SandboxUser;
  readonly channel: SandboxChannel;
  /** As the user's client showed it, which may be older than how it stands. */
  readonly message: Message;
};

/** The place of a button in its message: by action_id (of the first that has it), or by its number from 0. */
export function locateButton(blocks: readonly Block[], wanted: string | number): number | undefined {
  const held = buttonsOf(blocks);
  const index = typeof wanted === "number" ? wanted : held.findIndex(({ button }) => button.action_id === wanted);
  return held[index] === undefined ? undefined : index;
}

/** A press of the button of that place. The payload of an ephemeral has no `message`. */
export function pressEnvelope(press: Press, index: number, handles: Handles): Envelope {
  const { user, channel, message } = press;
  const held = buttonsOf(message.blocks)[index];
  if (held === undefined) throw new Error(`message ${message.ts} has no button ${index}`);
  const { button, blockId } = held;
  const isEphemeral = message.ephemeralTo !== undefined;
  return envelope("interactive", {
    type: "block_actions",
    user: { id: user.id, username: user.name, name: user.name, team_id: user.team },
    api_app_id: app.id,
    token: "deprecated",
    container: { type: "message", message_ts: message.ts, channel_id: channel.id, is_ephemeral: isEphemeral },
    trigger_id: handles.triggerId,
    team: { id: team.id, domain: team.domain },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel.id, name: shownName(channel) },
    ...(!isEphemeral && { message: wireMessage(message) }),
    state: { values: {} },
    response_url: handles.responseUrl,
    actions: [
      {
        type: "button",
        block_id: blockId,
        action_id: button.action_id,
        text: button.text,
        ...(button.value !== undefined && { value: button.value }),
        ...(button.style !== undefined && { style: button.style }),
        action_ts: (handles.now / 1_000).toFixed(6),
      },
    ],
  });
}

function shownName(channel: SandboxChannel): string {
  return channel.isPrivate && !channel.isIm ? "privategroup" : channel.name;
}

function envelope(type: Envelope["type"], payload: Envelope["payload"]): Envelope {
  return { envelope_id: randomUUID(), type, payload, accepts_response_payload: type === "slash_commands" };
}
