import type { types } from "@slack/bolt";
import type { Section } from "../commands/reply.ts";
import { clean, cut, oneLine } from "./escape.ts";

/** How much of one section is shown: counts, and lengths in UTF-16 units. */
export type SectionLimits = {
  readonly text: number;
  readonly items: number;
  readonly item: number;
  /** The command that shows everything, named where something was left out. */
  readonly seeAlso: string;
  /** Lists as plain lines: an item of a rich_text_list costs 70 bytes of JSON more. */
  readonly dense?: true;
};

/**
 * One section as a rich_text block, undefined where it holds nothing. Slack reads no mrkdwn, mention, link or emoji
 * name in a rich_text `text` element (facts: Slack has no escape for `*` or backticks, so mrkdwn is never used).
 */
export function richText(section: Section, limits: SectionLimits): types.RichTextBlock | undefined {
  const elements = elementsOf(section, limits);
  return elements.length === 0 ? undefined : { type: "rich_text", elements };
}

function elementsOf(section: Section, limits: SectionLimits): types.RichTextBlockElement[] {
  switch (section.kind) {
    case "text":
    case "row":
      return paragraph(section.text, limits);
    case "fields":
      return fields(section.fields, limits);
    case "list":
      return list(section.title, section.items, limits);
    case "code":
      return code(section.title, section.text, limits);
  }
}

function paragraph(text: string, limits: SectionLimits): types.RichTextSection[] {
  const shown = clean(text).trim();
  return shown === "" ? [] : [line(...plain(cutAndSay(shown, limits)))];
}

function fields(pairs: readonly (readonly [string, string])[], limits: SectionLimits): types.RichTextSection[] {
  const shown = pairs.slice(0, limits.items).map(([label, value]) => {
    const name = bold(`${cut(oneLine(label), limits.item)}: `);
    return line(name, ...plain(`${cut(orDash(oneLine(value)), limits.item)}\n`));
  });
  return pairs.length > limits.items ? [...shown, line(...plain(leftOut(pairs.length - limits.items, limits)))] : shown;
}

function list(
  title: string | undefined,
  items: readonly string[],
  limits: SectionLimits,
): types.RichTextBlockElement[] {
  if (items.length === 0) return heading(title);
  if (limits.dense === true) {
    const lines = items.slice(0, limits.items).map((item) => `• ${cut(orDash(oneLine(item)), limits.item)}`);
    return [...heading(title), line(...plain(lines.join("\n")))];
  }
  const shown = items.slice(0, limits.items).map((item) => line(...plain(cut(orDash(oneLine(item)), limits.item))));
  if (items.length > limits.items) shown.push(line(...plain(leftOut(items.length - limits.items, limits))));
  return [...heading(title), { type: "rich_text_list", style: "bullet", elements: shown }];
}

function code(title: string | undefined, text: string, limits: SectionLimits): types.RichTextBlockElement[] {
  const shown = clean(text).trimEnd();
  if (shown.trim() === "") return heading(title);
  return [...heading(title), { type: "rich_text_preformatted", elements: plain(cutAndSay(shown, limits)) }];
}

function heading(title: string | undefined): types.RichTextSection[] {
  const shown = oneLine(title ?? "");
  return shown === "" ? [] : [line(bold(cut(shown, 150)))];
}

function cutAndSay(text: string, limits: SectionLimits): string {
  if (text.length <= limits.text) return text;
  return `${cut(text, limits.text)}\n(cut short, see ${limits.seeAlso})`;
}

function leftOut(count: number, limits: SectionLimits): string {
  return `… and ${count} more, see ${limits.seeAlso}`;
}

/** Slack refuses an empty text element. */
function orDash(text: string): string {
  return text === "" ? "–" : text;
}

function line(...elements: types.RichTextText[]): types.RichTextSection {
  return { type: "rich_text_section", elements };
}

/** In pieces of the length that section texts may have: that of rich_text elements is not documented. */
function plain(text: string): types.RichTextText[] {
  const pieces = text.match(/[\s\S]{1,2900}(?<![\uD800-\uDBFF])|[\s\S]/g) ?? [];
  return pieces.map((piece) => ({ type: "text", text: piece }));
}

function bold(text: string): types.RichTextText {
  return { type: "text", text, style: { bold: true } };
}
