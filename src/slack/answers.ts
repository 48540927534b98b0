import type { types } from "@slack/bolt";
import type { Desk } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import type { Request } from "../commands/request.ts";
import { clean, cut, escapeMrkdwn } from "./escape.ts";

/** What the acknowledgement of a command says, to the caller alone. */
export type Acknowledgement = {
  readonly response_type: "ephemeral";
  readonly text: string;
  readonly blocks: types.KnownBlock[];
};

/** What was understood and the id that it will have; `undefined` for a payload that could not be read. */
export function acknowledgement(request: Request | undefined, desk: Pick<Desk, "understand">): Acknowledgement {
  const said = cut(
    clean(request === undefined ? "Slack sent this in a form that is not known." : understood(request, desk)),
    1_000,
  );
  const element: types.RichTextText = { type: "text", text: said };
  return {
    response_type: "ephemeral",
    text: escapeMrkdwn(said),
    blocks: [{ type: "rich_text", elements: [{ type: "rich_text_section", elements: [element] }] }],
  };
}

/** Understanding is pure; should it fail all the same, the command still gets its acknowledgement and its answer. */
function understood(request: Request, desk: Pick<Desk, "understand">): string {
  try {
    const { line, operation } = desk.understand(request);
    const said = operation === undefined ? line : `${line} (${operation})`;
    return clean(said).trim() === "" ? "Received." : said;
  } catch {
    return "Received.";
  }
}

/** For callers who are nobody of ours; tells them nothing. */
export function foreigner(): Reply {
  return note("Not available to you", "Bulkhead answers members of its own workspace only.", "refused");
}

/** The home tab of somebody whom Slack vouches for and who may not use the bot. */
export function noHome(why: string): Reply {
  return note("Not available to you", why, "refused");
}

/** For a failure of our own; says what it does not know. */
export function failure(delivery: string, command: string): Reply {
  const text = `This is a fault in Bulkhead, and it cannot say how far it got. Look at ${command} status before you repeat it. The log has more under "${delivery}".`;
  return note("Something went wrong inside Bulkhead", text, "failed");
}

function note(headline: string, text: string, outcome: Reply["outcome"]): Reply {
  const sections = [{ kind: "text", text }] as const;
  return { shape: "note", headline, tone: "bad", sections, buttons: [], footer: [], operation: undefined, outcome };
}
