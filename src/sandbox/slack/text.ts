import { type Block, buttonsOf, type TableBlock } from "./blocks.ts";
import { tableLines, twoColumns } from "./columns.ts";
import { columnsOf, visible, wrap } from "./lines.ts";
import { type Directory, readMrkdwn } from "./mrkdwn.ts";
import { richTextLines } from "./rich-text-lines.ts";
import type { SandboxFile } from "./shared-file.ts";
import type { Message } from "./workspace.ts";

export type RenderOptions = {
  /** Columns; 80 where absent. */
  readonly width?: number;
  /** Names for mentions: a `SandboxSlack` will do. Ids where absent. */
  readonly directory?: Directory;
  /** Numbers for the buttons; from 1 within the message where absent. */
  readonly buttons?: readonly NumberedButton[];
};

export type NumberedButton = {
  /** From 1. */
  readonly number: number;
  readonly message: Message;
  /** Place of the button in its message, from 0, as the driver's `press` takes it. */
  readonly index: number;
  readonly label: string;
};

/** Numbers the buttons of several messages through, in the order given, for a person who presses by number. */
export function numberButtons(messages: readonly Message[]): readonly NumberedButton[] {
  return messages
    .flatMap((message) =>
      buttonsOf(message.blocks).map(({ button }, index) => ({ message, index, label: button.text })),
    )
    .map(({ message, index, label }, at) => ({ number: at + 1, message, index, label: visible(label.text) }));
}

/**
 * A message or an ephemeral as terminal text: its blocks, or its text where it has none, wrapped to a width. Whatever
 * strings it holds, the result has no control character but line feeds, and leaves nothing out.
 */
export function renderMessage(message: Message, options: RenderOptions = {}): string {
  const view: View = {
    width: options.width ?? 80,
    directory: options.directory ?? { user: () => undefined, channel: () => undefined },
    numbers: numbersFor(message, options.buttons ?? numberButtons([message])),
  };
  const pictures = (message.files ?? []).map((file) => wrap(fileText(file), view.width).join("\n"));
  if (message.blocks.length === 0) {
    return [...(message.text === "" ? [] : wrap(mrkdwn(message.text, view), view.width)), ...pictures].join("\n");
  }
  let before = 0;
  const parts = message.blocks.map((block) => {
    const lines = blockLines(block, view, before);
    before += buttonsOf([block]).length;
    return lines.join("\n");
  });
  return [...parts, ...pictures].join("\n");
}

/** A file as a screen reader tells it. */
function fileText({ title, alt }: SandboxFile): string {
  return `[picture: ${visible(alt ?? title)}]`;
}

type View = {
  readonly width: number;
  readonly directory: Directory;
  /** Number of the button at that place of the message. */
  readonly numbers: ReadonlyMap<number, number>;
};

function numbersFor(message: Message, buttons: readonly NumberedButton[]): ReadonlyMap<number, number> {
  const own = buttons.filter(
    (button) => button.message.channel === message.channel && button.message.ts === message.ts,
  );
  return new Map(own.map(({ index, number }) => [index, number]));
}

/** `before`: how many buttons the blocks above hold. */
function blockLines(block: Block, view: View, before: number): readonly string[] {
  switch (block.type) {
    case "header":
      return headerLines(visible(block.text.text), view.width);
    case "divider":
      return ["─".repeat(view.width)];
    case "section":
      return sectionLines(block, view, before);
    case "context":
      return wrap(block.elements.map((element) => contextText(element, view)).join(" · "), view.width);
    case "actions":
      return wrap(buttonTexts([block], view, before).join("   "), view.width);
    case "table":
      return tableOf(block, view);
    case "rich_text":
      return richTextLines(block.elements, view.width, { directory: view.directory, clean: visible });
  }
}

function headerLines(text: string, width: number): readonly string[] {
  const lines = wrap(text, width);
  return [...lines, "═".repeat(Math.min(width, Math.max(...lines.map(columnsOf))))];
}

function sectionLines(block: Extract<Block, { type: "section" }>, view: View, before: number): readonly string[] {
  const text = block.text === undefined ? [] : wrap(textOf(block.text, view), view.width);
  const fields = twoColumns(
    (block.fields ?? []).map((field) => textOf(field, view)),
    view.width,
  );
  const image = block.accessory?.type === "image" ? [visible(`[image: ${block.accessory.alt_text}]`)] : [];
  return [...text, ...fields, ...image, ...buttonTexts([block], view, before)];
}

/** `[2] Release (danger)`; colour alone would say nothing here. A spoken label and an address are told too. */
function buttonTexts(blocks: readonly Block[], view: View, before: number): readonly string[] {
  return buttonsOf(blocks).map(({ button }, at) => {
    const number = view.numbers.get(before + at) ?? "-";
    const notes = [button.style, button.url].filter((note) => note !== undefined);
    return visible(`[${number}] ${button.text.text}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`);
  });
}

function tableOf(block: TableBlock, view: View): readonly string[] {
  const context = { directory: view.directory, clean: visible };
  const rows = block.rows.map((row) =>
    row.map((cell) =>
      cell.type === "rich_text" ? richTextLines(cell.elements, view.width, context).join("\n") : visible(cell.text),
    ),
  );
  const aligns = (block.column_settings ?? []).map((column) => column?.align);
  return tableLines(rows, aligns, view.width);
}

type ContextElement = Extract<Block, { type: "context" }>["elements"][number];

function contextText(element: ContextElement, view: View): string {
  return element.type === "image" ? visible(`[image: ${element.alt_text}]`) : textOf(element, view);
}

function textOf(text: { readonly type: "plain_text" | "mrkdwn"; readonly text: string }, view: View): string {
  return text.type === "mrkdwn" ? mrkdwn(text.text, view) : visible(text.text);
}

/** Cleaned after the entities are resolved and the names filled in: those are strings from outside too. */
function mrkdwn(text: string, view: View): string {
  return visible(readMrkdwn(text, view.directory));
}
