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

export const block = z.discriminatedUnion("type", [
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
