import type { Reply, Section } from "../commands/reply.ts";
import { cut, escapeMrkdwn, oneLine } from "./escape.ts";

/** Slack recommends 4,000 characters at most; what is cut here, the blocks still show. */
const longest = 3_500;

/**
 * The whole reply as one escaped text, for the message's top-level `text`: what notifications show and what screen
 * readers read instead of the blocks. Never empty.
 */
export function summary(reply: Reply): string {
  const sentences = [reply.headline, ...reply.sections.map(spoken), buttons(reply), reply.footer.join(", ")];
  const text = sentences
    .map(oneLine)
    .filter((sentence) => sentence !== "")
    .join(" – ");
  return text === "" ? "Bulkhead" : escapedAndCut(text);
}

/** Every `&` in escaped text begins an entity; one that the cut went through is dropped. */
function escapedAndCut(text: string): string {
  return cut(escapeMrkdwn(text), longest).replace(/&[a-z]*…$/, "…");
}

/** A section in one sentence, hostile still. */
export function spoken(section: Section): string {
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
