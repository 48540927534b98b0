import type { types } from "@slack/bolt";
import type { Button, Reply, RowButton, Section } from "../commands/reply.ts";
import { cut, oneLine } from "./escape.ts";
import { mentionBlocks } from "./mentions.ts";
import { richText, type SectionLimits } from "./rich-text.ts";
import { asksConfirm, brief, isConfirm, pointsAtOperation, spokenParts, summary } from "./summary.ts";

/** A message as chat.postMessage, chat.update and a response_url take it. */
export type Message = { readonly text: string; readonly blocks: types.KnownBlock[] };

/** Slack's limits (`@slack/types`, and facts of the room's README): UTF-16 units, counts, bytes of JSON. */
const slack = {
  header: 150,
  button: 75,
  context: 10,
  actions: 25,
  bytes: 12_000,
  blocks: 50,
  section: 2_900,
} as const;

/** action_id of a button: this and the action's name. */
export const actionPrefix = "np:";

/** The same of a button that only leads somewhere. */
export const linkAction = "open";

const mark: Record<Reply["tone"], string> = { neutral: "", good: "✔ ", warning: "⚠ ", bad: "✖ " };

/**
 * Makes a message of a reply. Whatever the reply holds, the message is within Slack's limits, and no string in it can
 * mention, link or format; what was left out is said, with `command` (such as `/np`) as the way to it. Confirm is there
 * only where the blocks show in full everything that must be read; the text may hold its beginning alone.
 */
export function renderReply(reply: Reply, command: string): Message {
  const seeAlso = `${command} audit`;
  const whole = asksConfirm(reply) ? fittingWhole(reply, seeAlso) : undefined;
  if (whole !== undefined) return { text: summary(reply), blocks: whole };
  const short = asksConfirm(reply) ? withoutConfirm(reply) : reply;
  const blocks =
    fitting(short, seeAlso, undefined) ?? layOut(short, limits(0, seeAlso), { mostSections: 0, must: undefined });
  return { text: summary(short), blocks };
}

/**
 * The same with nothing but a plain text and the buttons, for when Slack refuses the blocks of `renderReply`: an answer
 * without form is better than none.
 */
export function renderPlainly(reply: Reply): Message {
  const { first, rest } = spokenParts(reply);
  if (asksConfirm(reply) && first.length > slack.section) return renderPlainly(withoutConfirm(reply));
  const shown = cut(rest === "" ? first : `${first} – ${rest}`, slack.section);
  const section: types.SectionBlock = { type: "section", text: { type: "plain_text", text: shown, emoji: false } };
  return { text: brief(summary(reply)), blocks: [...(shown === "" ? [] : [section]), ...actions(reply)] };
}

function withoutConfirm(reply: Reply): Reply {
  const way =
    reply.atTerminal === undefined ? "" : `: ${reply.atTerminal}. With --yes instead of --dry-run it confirms it`;
  const why = `This plan is too long for Slack, so it cannot be confirmed here. A terminal shows all of it${way}.`;
  return {
    ...reply,
    sections: [{ kind: "text", text: why }, ...reply.sections],
    buttons: reply.buttons.filter((button) => !isConfirm(button)),
  };
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
  [0.04, 0],
] as const;

/** What must be read is never cut; its lists are set as plain lines, which take less room, before it is given up. */
function fittingWhole(reply: Reply, seeAlso: string): types.KnownBlock[] | undefined {
  return fitting(reply, seeAlso, unlimited) ?? fitting(reply, seeAlso, { ...unlimited, dense: true });
}

/** Cuts all sections ever shorter, then drops the last ones, until they fit; `must` are the limits of what must be read. */
function fitting(reply: Reply, seeAlso: string, must: SectionLimits | undefined): types.KnownBlock[] | undefined {
  for (const [part, mostSections] of attempts) {
    const blocks = layOut(reply, limits(part, seeAlso), { mostSections, must });
    if (blocks.length <= slack.blocks && Buffer.byteLength(JSON.stringify(blocks)) <= slack.bytes) return blocks;
  }
  return undefined;
}

function limits(part: number, seeAlso: string): SectionLimits {
  return {
    text: Math.floor(2_900 * part),
    items: Math.max(1, Math.floor(30 * part)),
    item: Math.max(20, Math.floor(450 * part)),
    seeAlso,
  };
}

const unlimited = { text: Infinity, items: Infinity, item: Infinity, seeAlso: "" } as const;

type Layout = { readonly mostSections: number; readonly must: SectionLimits | undefined };

function layOut(reply: Reply, limits: SectionLimits, { mostSections, must }: Layout): types.KnownBlock[] {
  const laid = reply.sections.flatMap((section) => {
    const own = section.mustRead === true ? must : undefined;
    const block = richText(section, own ?? limits);
    return block === undefined ? [] : [{ stays: own !== undefined, blocks: [block, ...rowActions(section)] }];
  });
  const others = laid.filter(({ stays }) => !stays).slice(0, mostSections);
  const shown = laid.filter((one) => one.stays || others.includes(one));
  const hidden = laid.length - shown.length;
  return [
    header(reply),
    ...mentionBlocks(reply.mentions),
    ...shown.flatMap(({ blocks }) => blocks),
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

function actions(reply: Reply): types.ActionsBlock[] {
  const { operation } = reply;
  return operation === undefined || !pointsAtOperation(reply) ? [] : buttonBlock(reply.buttons, operation);
}

function rowActions(section: Section): types.ActionsBlock[] {
  if (section.kind !== "row" || section.subject === "" || section.subject.length > 100) return [];
  return buttonBlock(section.buttons, section.subject);
}

/** Slack refuses one action_id twice in a block. */
function buttonBlock(buttons: readonly Shown[], value: string): types.ActionsBlock[] {
  const distinct = buttons.filter((one, at) => buttons.findIndex((other) => idOf(other) === idOf(one)) === at);
  if (distinct.length === 0) return [];
  return [{ type: "actions", elements: distinct.slice(0, slack.actions).map((button) => element(button, value)) }];
}

function element(button: Shown, value: string): types.Button {
  const label = oneLine(button.label);
  return {
    type: "button",
    text: { type: "plain_text", text: cut(label === "" ? idOf(button) : label, slack.button), emoji: false },
    action_id: `${actionPrefix}${idOf(button)}`,
    ...("url" in button ? { url: button.url } : { value }),
    ...(!("style" in button) || button.style === undefined ? {} : { style: button.style }),
  };
}

type Shown = Button | RowButton;

/** Slack tells of a press on a link as well: `linkAction` needs no answer. */
function idOf(button: Shown): string {
  return "url" in button ? linkAction : button.action;
}
