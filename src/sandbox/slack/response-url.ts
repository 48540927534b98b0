import { randomUUID } from "node:crypto";
import { judgeBlocks } from "./judge-blocks.ts";
import { app } from "./people.ts";
import type { Content, Message, Workspace } from "./workspace.ts";

/** Whom an interaction's response_url answers: the user in that channel, and the message the interaction came from. */
export type ResponseTarget = {
  readonly channel: string;
  readonly user: string;
  /** Undefined for a slash command. */
  readonly origin: Message | undefined;
};

/** `status` is HTTP; `body` what is sent back. */
export type ResponseUrlAnswer = { readonly status: number; readonly body: string };

export type ResponseUrls = {
  /** A fresh path, good for 5 uses in 30 minutes. */
  issue(target: ResponseTarget): string;
  /** Takes one POST: `body` is the parsed JSON. */
  receive(path: string, body: unknown): ResponseUrlAnswer;
};

const maxUses = 5;
const lifetimeMs = 30 * 60_000;
/** Longer texts are cut, as the server does (facts, section 1.2). */
const maxText = 40_000;

/** response_url: needs no membership and no token, which is why it answers where the app is not in the channel. */
export function createResponseUrls(workspace: Workspace, now: () => number): ResponseUrls {
  const issued = new Map<string, { target: ResponseTarget; uses: number; issuedAt: number }>();
  return {
    issue: (target) => {
      const path = `${target.origin === undefined ? "/commands" : "/actions"}/${randomUUID()}`;
      issued.set(path, { target, uses: 0, issuedAt: now() });
      return path;
    },
    receive: (path, body) => {
      const entry = issued.get(path);
      if (entry === undefined) return refuse(404, "no_service");
      if (now() - entry.issuedAt > lifetimeMs) return refuse(404, "expired_url");
      if (entry.uses >= maxUses) return refuse(404, "used_url");
      const answer = respond(workspace, entry.target, body);
      if (answer.status === 200) entry.uses += 1;
      return answer;
    },
  };
}

/** The body of a response_url POST, or of a slash command's acknowledgement. */
export type ResponseBody = {
  readonly text: string;
  readonly blocks: unknown;
  readonly inChannel: boolean;
  readonly replaceOriginal: boolean;
  readonly deleteOriginal: boolean;
  readonly threadTs: string | undefined;
};

/** Undefined where the value is no JSON object. */
export function readResponseBody(value: unknown): ResponseBody | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const fields = new Map(Object.entries(value));
  const text = fields.get("text");
  const threadTs = fields.get("thread_ts");
  return {
    text: typeof text === "string" ? text : "",
    blocks: fields.get("blocks"),
    inChannel: fields.get("response_type") === "in_channel",
    replaceOriginal: isTrue(fields.get("replace_original")),
    deleteOriginal: isTrue(fields.get("delete_original")),
    threadTs: typeof threadTs === "string" ? threadTs : undefined,
  };
}

/** Text and judged blocks, or the error that the server would answer. */
export function contentOf(
  text: string,
  blocks: unknown,
): Content | { readonly error: string; errors: readonly string[] } {
  const verdict = judgeBlocks(blocks ?? []);
  if (!verdict.ok) return { error: verdict.error, errors: verdict.errors };
  if (text === "" && verdict.blocks.length === 0) return { error: "no_text", errors: [] };
  return { text: text.slice(0, maxText), blocks: verdict.blocks };
}

function respond(workspace: Workspace, target: ResponseTarget, value: unknown): ResponseUrlAnswer {
  const body = readResponseBody(value);
  if (body === undefined) return refuse(400, "invalid_payload");
  const original = target.origin && workspace.find(target.origin.channel, target.origin.ts);
  if (body.deleteOriginal) {
    if (original === undefined) return refuse(404, "message_not_found");
    workspace.remove(original);
    return { status: 200, body: "ok" };
  }
  const content = contentOf(body.text, body.blocks);
  if ("error" in content) return refuse(400, content.error);
  // A slash command has no original: what asks to replace one is a new message.
  if (body.replaceOriginal && target.origin !== undefined) {
    if (original === undefined) return refuse(404, "message_not_found");
    workspace.update(original, content);
  } else {
    postReply(workspace, target, { ...content, inChannel: body.inChannel, threadTs: body.threadTs });
  }
  return { status: 200, body: "ok" };
}

/** Posts in the app's name, whether or not it is in that channel: for that user alone unless told otherwise. */
export function postReply(
  workspace: Workspace,
  target: Pick<ResponseTarget, "channel" | "user">,
  reply: Content & Pick<ResponseBody, "inChannel" | "threadTs">,
): Message {
  return workspace.post({
    channel: target.channel,
    author: app.botUser,
    text: reply.text,
    blocks: reply.blocks,
    ephemeralTo: reply.inChannel ? undefined : target.user,
    threadTs: reply.threadTs,
  });
}

function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

function refuse(status: number, error: string): ResponseUrlAnswer {
  return { status, body: JSON.stringify({ ok: false, error }) };
}
