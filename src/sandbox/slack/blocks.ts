import { randomBytes } from "node:crypto";
import { z } from "zod";
import { richText } from "./rich-text.ts";

/**
 * The blocks that Bulkhead may send in a message, with the limits of docs.slack.dev/reference/block-kit. Anything else
 * is refused: what the sandbox cannot judge it must not let pass.
 */
const blockId = z.string().max(255).optional();
const actionId = z.string().min(1).max(255).optional();
const plainText = (max: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const mrkdwn = (max: number) =>
  z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(max), verbatim: z.boolean().optional() });
const anyText = (max: number) => z.discriminatedUnion("type", [plainText(max), mrkdwn(max)]);

const confirm = z
  .strictObject({
    title: plainText(100),
    text: anyText(300),
    confirm: plainText(30),
    deny: plainText(30),
    style: z.enum(["primary", "danger"]).optional(),
  })
  .optional();

const button = z.strictObject({
  type: z.literal("button"),
  text: plainText(75),
  action_id: actionId,
  value: z.string().max(2000).optional(),
  url: z.string().max(3000).optional(),
  style: z.enum(["primary", "danger"]).optional(),
  accessibility_label: z.string().max(75).optional(),
  confirm,
});

const image = z.strictObject({
  type: z.literal("image"),
  image_url: z.string().max(3000),
  alt_text: z.string().min(1).max(2000),
});

const tableCell = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("raw_text"), text: z.string().min(1) }),
  z.strictObject({ type: z.literal("raw_number"), value: z.number(), text: z.string().min(1) }),
  richText,
]);

const block = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("header"), block_id: blockId, text: plainText(150) }),
  z
    .strictObject({
      type: z.literal("section"),
      block_id: blockId,
      text: anyText(3000).optional(),
      fields: z.array(anyText(2000)).min(1).max(10).optional(),
      accessory: z.discriminatedUnion("type", [button, image]).optional(),
      expand: z.boolean().optional(),
    })
    .refine((section) => section.text !== undefined || section.fields !== undefined, {
      message: "either text or fields is required",
    }),
  z.strictObject({ type: z.literal("divider"), block_id: blockId }),
  z.strictObject({
    type: z.literal("context"),
    block_id: blockId,
    elements: z
      .array(z.discriminatedUnion("type", [plainText(3000), mrkdwn(3000), image]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal("actions"), block_id: blockId, elements: z.array(button).min(1).max(25) }),
  z.strictObject({
    type: z.literal("table"),
    block_id: blockId,
    rows: z.array(z.array(tableCell).min(1).max(20)).min(1).max(100),
    column_settings: z
      .array(
        z
          .strictObject({
            align: z.enum(["left", "center", "right"]).optional(),
            is_wrapped: z.boolean().optional(),
          })
          .nullable(),
      )
      .max(20)
      .optional(),
  }),
  richText,
]);

export type Block = z.infer<typeof block>;
export type Button = z.infer<typeof button>;
export type TableBlock = Extract<Block, { type: "table" }>;

/** `errors` are sentences with a JSON pointer, as the server words them. */
export type BlockVerdict =
  | { readonly ok: true; readonly blocks: readonly Block[] }
  | { readonly ok: false; readonly error: string; readonly errors: readonly string[] };

/**
 * Whole-message ceiling in bytes of the blocks' JSON. Not documented; others have measured about 13.2 kB
 * (facts, section 1.2).
 */
const maxBlocksBytes = 13_200;
const maxTableCharacters = 10_000;

/**
 * Judges the `blocks` argument of a message as the server does, and gives a block_id and action_id to what has none.
 * Errors: `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long`, `invalid_attachments` (two tables).
 */
export function judgeBlocks(value: unknown): BlockVerdict {
  if (!Array.isArray(value)) return { ok: false, error: "invalid_blocks_format", errors: [] };
  const parsed = z.array(block).max(50).safeParse(value);
  if (!parsed.success) return invalid(parsed.error.issues.map(sentence));
  const blocks = parsed.data;
  const tables = blocks.filter((candidate) => candidate.type === "table");
  if (tables.length > 1) return { ok: false, error: "invalid_attachments", errors: ["only_one_table_allowed"] };
  const problems = [...repeatedIds(blocks), ...tables.flatMap(tooMuchTable)];
  if (problems.length > 0) return invalid(problems);
  if (Buffer.byteLength(JSON.stringify(value)) > maxBlocksBytes) {
    return { ok: false, error: "msg_blocks_too_long", errors: [] };
  }
  return { ok: true, blocks: blocks.map(withIds) };
}

/** Every button of a message in reading order, with the block that holds it. */
export function buttonsOf(blocks: readonly Block[]): readonly { readonly button: Button; readonly blockId: string }[] {
  return blocks.flatMap((one) => blockButtons(one).map((held) => ({ button: held, blockId: one.block_id ?? "" })));
}

function blockButtons(one: Block): readonly Button[] {
  if (one.type === "actions") return one.elements;
  if (one.type === "section" && one.accessory?.type === "button") return [one.accessory];
  return [];
}

function invalid(errors: readonly string[]): BlockVerdict {
  return { ok: false, error: "invalid_blocks", errors };
}

function sentence(issue: z.core.$ZodIssue): string {
  return `${problem(issue)} [json-pointer:/blocks${issue.path.map((step) => `/${String(step)}`).join("")}]`;
}

function problem(issue: z.core.$ZodIssue): string {
  if (issue.code === "too_big") {
    return issue.origin === "string"
      ? `must be less than ${Number(issue.maximum) + 1} characters`
      : `no more than ${issue.maximum} items allowed`;
  }
  if (issue.code === "too_small") {
    return `must be more than ${Number(issue.minimum) - 1} ${issue.origin === "string" ? "characters" : "items"}`;
  }
  if (issue.code === "unrecognized_keys") return `invalid additional property: ${issue.keys.join(", ")}`;
  return issue.code === "invalid_union" ? "unsupported type" : issue.message;
}

/** A block_id is unique in its message, an action_id in its block. */
function repeatedIds(blocks: readonly Block[]): readonly string[] {
  const ofBlocks = repeated(blocks.map((one) => one.block_id)).map((id) => `block_id "${id}" already exists`);
  const ofActions = blocks.flatMap((one) =>
    repeated(blockButtons(one).map((held) => held.action_id)).map((id) => `action_id "${id}" already exists`),
  );
  return [...ofBlocks, ...ofActions].map((text) => `${text} [json-pointer:/blocks]`);
}

function repeated(ids: readonly (string | undefined)[]): readonly string[] {
  const known = ids.filter((id) => id !== undefined);
  return known.filter((id, index) => known.indexOf(id) !== index);
}

function tooMuchTable(table: TableBlock): readonly string[] {
  const characters = JSON.stringify(table.rows.flat().map(cellText)).length - 4 * table.rows.flat().length;
  return characters > maxTableCharacters ? [`must be less than ${maxTableCharacters + 1} characters in all cells`] : [];
}

function cellText(cell: TableBlock["rows"][number][number]): string {
  return cell.type === "rich_text" ? JSON.stringify(cell.elements) : cell.text;
}

function withIds(one: Block): Block {
  const identified = { ...one, block_id: one.block_id ?? randomId() };
  if (identified.type === "actions") return { ...identified, elements: identified.elements.map(withActionId) };
  if (identified.type === "section" && identified.accessory?.type === "button") {
    return { ...identified, accessory: withActionId(identified.accessory) };
  }
  return identified;
}

function withActionId(one: Button): Button {
  return { ...one, action_id: one.action_id ?? randomId() };
}

function randomId(): string {
  return randomBytes(4).toString("base64url").slice(0, 5);
}
