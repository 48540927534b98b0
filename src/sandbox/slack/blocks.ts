import { z } from "zod";
import { anyText, type Button, blockId, button, image, plainText } from "./elements.ts";
import { richText } from "./rich-text.ts";

const header = z.strictObject({ type: z.literal("header"), block_id: blockId, text: plainText(150) });
const divider = z.strictObject({ type: z.literal("divider"), block_id: blockId });
const context = z.strictObject({
  type: z.literal("context"),
  block_id: blockId,
  elements: z
    .array(z.discriminatedUnion("type", [anyText(3000), image]))
    .min(1)
    .max(10),
});
/** Blocks that are the same in a message and in a modal. */
export const plainBlocks = [header, divider, context, richText] as const;

/** What a section has apart from its accessory. */
export const sectionParts = {
  type: z.literal("section"),
  block_id: blockId,
  text: anyText(3000).optional(),
  fields: z.array(anyText(2000)).min(1).max(10).optional(),
  expand: z.boolean().optional(),
};
export const hasContent = (section: { readonly text?: unknown; readonly fields?: unknown }): boolean =>
  section.text !== undefined || section.fields !== undefined;
export const contentless = { message: "either text or fields is required" };

const tableCell = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("raw_text"), text: z.string().min(1) }),
  z.strictObject({ type: z.literal("raw_number"), value: z.number(), text: z.string().min(1) }),
  richText,
]);

/**
 * The blocks that Bulkhead may send in a message, with the limits of docs.slack.dev/reference/block-kit. Anything else
 * is refused: what the sandbox cannot judge it must not let pass.
 */
export const block = z.discriminatedUnion("type", [
  ...plainBlocks,
  z
    .strictObject({ ...sectionParts, accessory: z.discriminatedUnion("type", [button, image]).optional() })
    .refine(hasContent, contentless),
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
]);

export type Block = z.infer<typeof block>;
export type TableBlock = Extract<Block, { type: "table" }>;

/** Every button of a message in reading order, with the block that holds it. */
export function buttonsOf(blocks: readonly Block[]): readonly { readonly button: Button; readonly blockId: string }[] {
  return blocks.flatMap((one) => blockButtons(one).map((held) => ({ button: held, blockId: one.block_id ?? "" })));
}

/** The buttons of one block: of `actions`, or a section's accessory. */
export function blockButtons(one: Block): readonly Button[] {
  if (one.type === "actions") return one.elements;
  if (one.type === "section" && one.accessory?.type === "button") return [one.accessory];
  return [];
}
