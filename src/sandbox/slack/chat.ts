import { visible, writable } from "./directory.ts";
import { type Answer, type Arguments, type Method, refuse, stringOf } from "./method.ts";
import { app, team } from "./people.ts";
import { contentOf } from "./response-url.ts";
import { wireFile } from "./shared-file.ts";
import type { Content, Message, Workspace } from "./workspace.ts";

/** chat.*, as an app with `chat:write` and without `chat:write.public` may call them. */
export function chatMethods(workspace: Workspace): readonly (readonly [string, Method])[] {
  return [
    ["chat.postMessage", (args) => postMessage(workspace, args)],
    ["chat.postEphemeral", (args) => postEphemeral(workspace, args)],
    ["chat.update", (args) => update(workspace, args)],
    ["chat.delete", (args) => remove(workspace, args)],
    ["chat.getPermalink", (args) => permalink(workspace, args)],
  ];
}

/** The message as the API and interaction payloads show it. */
export function wireMessage(message: Message): Readonly<Record<string, unknown>> {
  return {
    type: "message",
    user: message.author,
    ...(message.author === app.botUser && { bot_id: app.botId, app_id: app.id }),
    team: team.id,
    ts: message.ts,
    text: message.text,
    ...(message.blocks.length > 0 && { blocks: message.blocks }),
    ...(message.threadTs !== undefined && { thread_ts: message.threadTs }),
    ...(message.files !== undefined && { files: message.files.map(wireFile) }),
    ...(message.edited && { edited: { user: app.botUser, ts: message.ts } }),
  };
}

/** A user id in place of a channel's is a direct message, which the answer names. */
function postMessage(workspace: Workspace, args: Arguments): Answer {
  const channel = workspace.direct(stringOf(args, "channel") ?? "") ?? writable(workspace, args);
  if ("ok" in channel) return channel;
  const content = contentOf(stringOf(args, "text") ?? "", args.get("blocks"));
  if ("error" in content) return refuse(content.error, content.errors);
  const message = workspace.post({
    ...content,
    channel: channel.id,
    author: app.botUser,
    ephemeralTo: undefined,
    threadTs: stringOf(args, "thread_ts"),
  });
  return { ok: true, channel: channel.id, ts: message.ts, message: wireMessage(message) };
}

function postEphemeral(workspace: Workspace, args: Arguments): Answer {
  const channel = writable(workspace, args);
  if ("ok" in channel) return channel;
  const user = stringOf(args, "user");
  if (user === undefined) return refuse("invalid_arguments");
  if (!channel.members.includes(user)) return refuse("user_not_in_channel");
  const content = contentOf(stringOf(args, "text") ?? "", args.get("blocks"));
  if ("error" in content) return refuse(content.error, content.errors);
  const message = workspace.post({
    ...content,
    channel: channel.id,
    author: app.botUser,
    ephemeralTo: user,
    threadTs: stringOf(args, "thread_ts"),
  });
  return { ok: true, message_ts: message.ts };
}

/**
 * Bytes of the text, whatever the blocks; chat.postMessage takes more. Not documented; seen by others
 * (F3-Nation/archive-slackblast#64, gitlab-org/gitlab!258898).
 */
const maxUpdatedText = 4_000;

function update(workspace: Workspace, args: Arguments): Answer {
  const message = own(workspace, args, "cant_update_message");
  if ("ok" in message) return message;
  const content = updatedContent(message, args);
  if ("error" in content) return refuse(content.error, content.errors);
  const updated = workspace.update(message, content);
  return { ok: true, channel: updated.channel, ts: updated.ts, text: updated.text, message: wireMessage(updated) };
}

/** Text without blocks removes the blocks; blocks without text leave the text. */
function updatedContent(message: Message, args: Arguments): ReturnType<typeof contentOf> | Content {
  const text = stringOf(args, "text");
  if (text === undefined && args.get("blocks") === undefined) return { error: "no_text", errors: [] };
  if (Buffer.byteLength(text ?? "") > maxUpdatedText) return { error: "msg_too_long", errors: [] };
  return contentOf(text ?? message.text, args.get("blocks"));
}

function remove(workspace: Workspace, args: Arguments): Answer {
  const message = own(workspace, args, "cant_delete_message");
  if ("ok" in message) return message;
  workspace.remove(message);
  return { ok: true, channel: message.channel, ts: message.ts };
}

function permalink(workspace: Workspace, args: Arguments): Answer {
  const channel = visible(workspace, args);
  if (channel === undefined) return refuse("channel_not_found");
  const message = workspace.find(channel.id, stringOf(args, "message_ts") ?? "");
  if (message === undefined || message.ephemeralTo !== undefined) return refuse("message_not_found");
  const path = `${channel.id}/p${message.ts.replace(".", "")}`;
  return { ok: true, channel: channel.id, permalink: `https://${team.domain}.slack.com/archives/${path}` };
}

/** A message that the app wrote in a channel; an ephemeral is none (chat.update does not know it). */
function own(workspace: Workspace, args: Arguments, foreign: string): Message | Answer {
  const channel = visible(workspace, args);
  if (channel === undefined) return refuse("channel_not_found");
  const message = workspace.find(channel.id, stringOf(args, "ts") ?? "");
  if (message === undefined || message.ephemeralTo !== undefined) return refuse("message_not_found");
  return message.author === app.botUser ? message : refuse(foreign);
}
