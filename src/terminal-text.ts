import type { Reply, Section } from "./commands/reply.ts";

/**
 * A reply as text for a terminal, wrapped to the width (columns). Control characters of hostile strings are gone.
 * Commands stand as they are typed here: `bulkhead …` for `/np …`.
 */
export function replyText(reply: Reply, width: number): string {
  const called = (reply.mentions ?? []).length === 0 ? [] : [wrap(`For ${reply.mentions?.join(", ")}`, width, "")];
  const parts = [
    wrap(reply.headline, width, ""),
    ...called,
    ...reply.sections.map((section) => sectionText(section, width)),
  ];
  const footer = reply.footer.length === 0 ? [] : [wrap(reply.footer.join(" · "), width, "")];
  return `${[...parts, ...footer].filter((part) => part !== "").join("\n\n")}\n`;
}

/** The text without control, bidirectional and other invisible characters; line ends become spaces. */
function plain(text: string): string {
  const visible = text.replace(/\p{Cc}/gu, " ").replace(/\p{Cf}/gu, "");
  return visible.replaceAll(/(^|[\s(])\/np /g, "$1bulkhead ");
}

function sectionText(section: Section, width: number): string {
  switch (section.kind) {
    case "text":
      return wrap(section.text, width, "");
    case "row":
      return wrap(section.text, width, "    ", "  - ");
    case "fields":
      return fieldsText(section.fields, width);
    case "list":
      return titled(section.title, section.items.map((item) => wrap(item, width, "    ", "  - ")).join("\n"));
    case "code":
      return titled(
        section.title,
        section.text
          .split("\n")
          .map((line) => `    ${plain(line)}`)
          .join("\n"),
      );
  }
}

function fieldsText(fields: readonly (readonly [string, string])[], width: number): string {
  const column = Math.max(...fields.map(([label]) => label.length)) + 2;
  return fields.map(([label, value]) => wrap(value, width, " ".repeat(column), plain(label).padEnd(column))).join("\n");
}

function titled(title: string | undefined, body: string): string {
  return title === undefined ? body : `${plain(title)}:\n${body}`;
}

/**
 * Words onto lines no wider than the width; a word that is wider stands on a line of its own. So does a command at the
 * end: half of one that is pasted could do more than the whole (`conntrack -D` without an address).
 */
function wrap(text: string, width: number, indent: string, first = indent): string {
  const { words, command } = commandAtEnd(plain(text));
  const wrapped = wrapWords(words, width, indent, first);
  if (command === "") return wrapped;
  const last = wrapped.split("\n").at(-1) ?? "";
  return `${wrapped}${last.length + 1 + command.length <= width ? " " : `\n${indent}`}${command}`;
}

function commandAtEnd(text: string): { readonly words: string; readonly command: string } {
  const found = /^(.*?:) +((?:kubectl|bulkhead) .*)$/.exec(text);
  return { words: found?.[1] ?? text, command: found?.[2]?.trimEnd() ?? "" };
}

function wrapWords(text: string, width: number, indent: string, first: string): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ").filter((one) => one !== "")) {
    const start = line === first || line === indent;
    if (!start && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line += start ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}
