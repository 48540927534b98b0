import type { types } from "@slack/bolt";
import type { Button, Reply } from "../commands/reply.ts";
import { cut, oneLine } from "./escape.ts";
import { richText, type SectionLimits } from "./rich-text.ts";
import { spoken, summary } from "./summary.ts";

/** A message as chat.postMessage, chat.update and a response_url take it. */
export type Message = { readonly text: string; readonly blocks: types.KnownBlock[] };

/** Slack's limits (`@slack/types`, and facts of the room's README): UTF-16 units, counts, bytes of JSON. */
const slack = { header: 150, button: 75, context: 10, actions: 25, bytes: 12_000, value: 100 } as const;

/** action_id of a button: this and the action's name. */
export const actionPrefix = "np:";

const mark: Record<Reply["tone"], string> = { neutral: "", good: "✔ ", warning: "⚠ ", bad: "✖ " };

/**
 * Makes a message of a reply. Whatever the reply holds, the message is within Slack's limits, and no string in it can
 * mention, link or format; what was left out is said, with `command` (such as `/np`) as the way to it.
 */
export function renderReply(reply: Reply, command: string): Message {
  const seeAlso = `${command} audit`;
  return { text: summary(reply), blocks: fittingBlocks(reply, seeAlso) };
}

/**
 * The same with nothing but a plain text and the buttons, for when Slack refuses the blocks of `renderReply`: an answer
 * without form is better than none.
 */
export function renderPlainly(reply: Reply): Message {
  const text = summary(reply);
  const said = cut(oneLine([reply.headline, ...reply.sections.map(spoken)].join(" – ")), 2_900);
  const section: types.SectionBlock = { type: "section", text: { type: "plain_text", text: said, emoji: false } };
  return { text, blocks: [...(said === "" ? [] : [section]), ...actions(reply)] };
}

/** How much of each section, and how many: 40 with head, note, buttons and footer are within the 50 blocks allowed. */
const attempts = [
  [1, 40],
  [0.5, 40],
  [0.25, 40],
  [0.1, 40],
  [0.04, 40],
  [0.04, 15],
  [0.04, 5],
] as const;

/** Cuts all sections ever shorter, then drops the last ones, then all: what is left then always fits. */
function fittingBlocks(reply: Reply, seeAlso: string): types.KnownBlock[] {
  for (const [part, mostSections] of attempts) {
    const blocks = layOut(reply, limits(part, seeAlso), mostSections);
    if (Buffer.byteLength(JSON.stringify(blocks)) <= slack.bytes) return blocks;
  }
  return layOut(reply, limits(0, seeAlso), 0);
}

function limits(part: number, seeAlso: string): SectionLimits {
  return {
    text: Math.floor(2_900 * part),
    items: Math.max(1, Math.floor(30 * part)),
    item: Math.max(20, Math.floor(300 * part)),
    seeAlso,
  };
}

function layOut(reply: Reply, limits: SectionLimits, mostSections: number): types.KnownBlock[] {
  const sections = reply.sections.map((section) => richText(section, limits)).filter((block) => block !== undefined);
  const shown = sections.slice(0, mostSections);
  const hidden = sections.length - shown.length;
  return [
    header(reply),
    ...shown,
    ...context(hidden === 0 ? [] : [`… and ${hidden} more parts, see ${limits.seeAlso}`]),
    ...actions(reply),
    ...context(reply.footer),
  ];
}

function header(reply: Reply): types.HeaderBlock {
  const headline = oneLine(reply.headline);
  const text = cut(`${mark[reply.tone]}${headline === "" ? "Bulkhead" : headline}`, slack.header);
  return { type: "header", text: { type: "plain_text", text, emoji: false } };
}

function context(lines: readonly string[]): types.ContextBlock[] {
  const texts = lines.map(oneLine).filter((line) => line !== "");
  if (texts.length === 0) return [];
  const shown = texts.length <= slack.context ? texts : [...texts.slice(0, slack.context - 1), "…"];
  const elements = shown.map((text): types.PlainTextElement => {
    return { type: "plain_text", text: cut(text, 200), emoji: false };
  });
  return [{ type: "context", elements }];
}

/** Buttons need an operation to point at, and Slack refuses one action_id twice in a block. */
function actions(reply: Reply): types.ActionsBlock[] {
  const { operation } = reply;
  if (operation === undefined || operation === "" || operation.length > slack.value) return [];
  const distinct = reply.buttons.filter((button, at) => {
    return reply.buttons.findIndex((other) => other.action === button.action) === at;
  });
  if (distinct.length === 0) return [];
  return [{ type: "actions", elements: distinct.slice(0, slack.actions).map((button) => element(button, operation)) }];
}

function element(button: Button, operation: string): types.Button {
  const label = oneLine(button.label);
  return {
    type: "button",
    text: { type: "plain_text", text: cut(label === "" ? button.action : label, slack.button), emoji: false },
    action_id: `${actionPrefix}${button.action}`,
    value: operation,
    ...(button.style === undefined ? {} : { style: button.style }),
  };
}
