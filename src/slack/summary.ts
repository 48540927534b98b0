import type { Button, Reply, Section } from "../commands/reply.ts";
import { cut, escapeMrkdwn, oneLine } from "./escape.ts";
import { mentionText } from "./mentions.ts";

/**
 * Bytes. chat.update refuses a text of more than 4,000 as `msg_too_long`, whatever the blocks; that it counts bytes of
 * what is escaped, others found out (gitlab-org/gitlab!258898). The second is for where it refuses one all the same.
 */
const longest = { usual: 3_500, brief: 900 } as const;

const elsewhere = "The rest is in the message itself.";

/**
 * The reply as one escaped text, for the message's top-level `text`: what notifications show and what screen readers
 * may read instead of the blocks. Never empty; what must be read before Confirm comes first. Where it had to be
 * shortened, its last line says where the rest is. Whom the reply mentions is in front of it.
 */
export function summary(reply: Reply): string {
  const { first, rest } = spokenParts(reply);
  const text = sentence([first, rest, buttons(reply), reply.footer.join(", ")]);
  const said = text === "" ? "Bulkhead" : escapeMrkdwn(text);
  return shortened(`${mentionText(reply.mentions)}${said}`, longest.usual);
}

/** A text of `summary` still shorter. */
export function brief(text: string): string {
  return shortened(text, longest.brief);
}

/** What must be read before Confirm, the headline before it, and the other sections: each as one line, hostile still. */
export function spokenParts(reply: Reply): { readonly first: string; readonly rest: string } {
  const must = asksConfirm(reply) ? reply.sections.filter(({ mustRead }) => mustRead === true) : [];
  const others = reply.sections.filter((section) => !must.includes(section));
  return {
    first: sentence([cut(oneLine(reply.headline), 500), ...must.map(spoken)]),
    rest: sentence(others.map(spoken)),
  };
}

/** Whether the reply has a button that carries a plan out. */
export function asksConfirm(reply: Reply): boolean {
  return pointsAtOperation(reply) && reply.buttons.some(isConfirm);
}

/** Buttons need an operation to point at; Slack takes a value of 2,000 characters, ids are short. */
export function pointsAtOperation({ operation }: Reply): boolean {
  return operation !== undefined && operation !== "" && operation.length <= 100;
}

export function isConfirm({ action }: Button): boolean {
  return action === "confirm" || action === "confirm-again" || action === "approve";
}

function sentence(parts: readonly string[]): string {
  return parts
    .map(oneLine)
    .filter((part) => part !== "")
    .join(" – ");
}

/** Neither a character nor an entity, as which every `&` of escaped text begins, is cut through. */
function shortened(escaped: string, bytes: number): string {
  const all = Buffer.from(escaped);
  if (all.length <= bytes) return escaped;
  const end = `…\n${elsewhere}`;
  const whole = new TextDecoder().decode(all.subarray(0, bytes - Buffer.byteLength(end)), { stream: true });
  return `${whole.replace(/&[a-z]*$/, "")}${end}`;
}

/** A section in one sentence, hostile still. */
function spoken(section: Section): string {
  switch (section.kind) {
    case "text":
    case "row":
      return section.text;
    case "fields":
      return section.fields.map(([label, value]) => `${label}: ${value}`).join("; ");
    case "list":
      return `${section.title === undefined ? "" : `${section.title}: `}${section.items.join("; ")}`;
    case "code":
      return `${section.title ?? ""} ${section.text}`;
  }
}

function buttons(reply: Reply): string {
  if (reply.buttons.length === 0 || reply.operation === undefined) return "";
  return `Buttons: ${reply.buttons.map((button) => button.label).join(", ")}`;
}
