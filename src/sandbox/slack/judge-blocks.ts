import { z } from "zod";
import { type Block, block, blockButtons, type TableBlock } from "./blocks.ts";
import type { Button } from "./elements.ts";
import { randomId, repeated, sentence } from "./sentences.ts";

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
  const parsed = z.array(block).max(50).safeParse(value, { reportInput: true });
  if (!parsed.success) return invalid(parsed.error.issues.map((issue) => sentence(issue, "/blocks")));
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

function invalid(errors: readonly string[]): BlockVerdict {
  return { ok: false, error: "invalid_blocks", errors };
}

/** A block_id is unique in its message, an action_id in its block. */
function repeatedIds(blocks: readonly Block[]): readonly string[] {
  const ofBlocks = repeated(
    "block_id",
    blocks.map((one) => one.block_id),
    (at) => `/blocks/${at}/block_id`,
  );
  const ofActions = blocks.flatMap((one, index) =>
    repeated(
      "action_id",
      blockButtons(one).map((held) => held.action_id),
      (at) => `/blocks/${index}/elements/${at}/action_id`,
    ),
  );
  return [...ofBlocks, ...ofActions];
}

function tooMuchTable(table: TableBlock): readonly string[] {
  return textLength(table.rows) > maxTableCharacters
    ? [`must be less than ${maxTableCharacters + 1} characters in all cells`]
    : [];
}

/** Characters of every `text` in it, however deep: cells may hold rich_text. */
function textLength(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value)
    .map(([key, held]) => (key === "text" && typeof held === "string" ? held.length : textLength(held)))
    .reduce((sum, length) => sum + length, 0);
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
