import { chop, wrap } from "./lines.ts";
import { channelName, type Directory, userName } from "./mrkdwn.ts";
import type { RichTextElement, RichTextInline } from "./rich-text.ts";

/** Terminal lines of a rich_text block. `clean` is applied to every piece of text before it is measured. */
export function richTextLines(
  elements: readonly RichTextElement[],
  width: number,
  context: { readonly directory: Directory; readonly clean: (text: string) => string },
): readonly string[] {
  const read = (inlines: readonly RichTextInline[]) =>
    context.clean(inlines.map((inline) => inlineText(inline, context.directory)).join("")).replace(/\n$/, "");
  return elements.flatMap((element) => elementLines(element, width, read));
}

type Read = (inlines: readonly RichTextInline[]) => string;

function elementLines(element: RichTextElement, width: number, read: Read): readonly string[] {
  switch (element.type) {
    case "rich_text_section":
      return wrap(read(element.elements), width);
    case "rich_text_preformatted":
      return chop(read(element.elements), width - 4).map((line) => `  │ ${line}`);
    case "rich_text_quote":
      return wrap(read(element.elements), width - 2).map((line) => `> ${line}`);
    case "rich_text_list":
      return listLines(element, width, read);
  }
}

function listLines(
  list: Extract<RichTextElement, { type: "rich_text_list" }>,
  width: number,
  read: Read,
): readonly string[] {
  const indent = "  ".repeat((list.indent ?? 0) + 1);
  return list.elements.flatMap((item, index) => {
    const bullet = list.style === "ordered" ? `${(list.offset ?? 0) + index + 1}. ` : "• ";
    const lines = wrap(read(item.elements), width - indent.length - bullet.length);
    return lines.map((line, at) => `${indent}${at === 0 ? bullet : " ".repeat(bullet.length)}${line}`);
  });
}

function inlineText(inline: RichTextInline, directory: Directory): string {
  if (isMention(inline)) return mentionText(inline, directory);
  switch (inline.type) {
    case "text":
      return inline.style?.code === true ? `\`${inline.text}\`` : inline.text;
    case "link":
      return inline.text === undefined || inline.text === inline.url ? inline.url : `${inline.text} (${inline.url})`;
    case "emoji":
      return `:${inline.name}:`;
    case "color":
      return inline.value;
    case "date":
      return inline.fallback ?? new Date(inline.timestamp * 1_000).toISOString();
  }
}

type Mention = Extract<RichTextInline, { type: "user" | "channel" | "usergroup" | "team" | "broadcast" }>;

function isMention(inline: RichTextInline): inline is Mention {
  return ["user", "channel", "usergroup", "team", "broadcast"].includes(inline.type);
}

function mentionText(mention: Mention, directory: Directory): string {
  switch (mention.type) {
    case "user":
      return userName(mention.user_id, directory);
    case "channel":
      return channelName(mention.channel_id, directory);
    case "usergroup":
      return `@${mention.usergroup_id}`;
    case "team":
      return `@${mention.team_id}`;
    case "broadcast":
      return `@${mention.range}`;
  }
}
