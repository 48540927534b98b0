import type { Button, Reply, Section } from "../commands/reply.ts";
import { cut, escapeMrkdwn, oneLine } from "./escape.ts";

/** Slack recommends 4,000 characters at most; what is cut here, the blocks still show. */
const longest = 3_500;

/** Slack cuts off what is beyond 40,000 characters: escaped, what must be read stays well below. */
const longestToConfirm = 30_000;

/**
 * The whole reply as one escaped text, for the message's top-level `text`: what notifications show and what screen
 * readers read instead of the blocks. Never empty. Whoever has only this reads all that the reply asks to confirm.
 */
export function summary(reply: Reply): string {
  const { first, rest } = spokenParts(reply);
  const text = sentence([first, rest, buttons(reply), reply.footer.join(", ")]);
  if (text === "") return "Bulkhead";
  const needed = asksConfirm(reply) ? Math.min(escapeMrkdwn(first).length + 500, longestToConfirm) : 0;
  return escapedAndCut(text, Math.max(longest, needed));
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

/** Whether the text has room for all that must be read. */
export function canBeTold(reply: Reply): boolean {
  return escapeMrkdwn(spokenParts(reply).first).length <= longestToConfirm;
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
  return action === "confirm" || action === "confirm-again";
}

function sentence(parts: readonly string[]): string {
  return parts
    .map(oneLine)
    .filter((part) => part !== "")
    .join(" – ");
}

/** Every `&` in escaped text begins an entity; one that the cut went through is dropped. */
function escapedAndCut(text: string, length: number): string {
  return cut(escapeMrkdwn(text), length).replace(/&[a-z]*…$/, "…");
}

/** A section in one sentence, hostile still. */
function spoken(section: Section): string {
  switch (section.kind) {
    case "text":
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
