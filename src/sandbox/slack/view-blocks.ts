import { z } from "zod";
import { contentless, hasContent, plainBlocks, sectionParts } from "./blocks.ts";
import {
  blockId,
  button,
  checkboxes,
  externalSelect,
  image,
  plainText,
  plainTextInput,
  staticSelect,
} from "./elements.ts";

/** The blocks that Bulkhead may send in a modal; anything else is refused, as in a message. */
const viewBlock = z.discriminatedUnion("type", [
  ...plainBlocks,
  z
    .strictObject({
      ...sectionParts,
      accessory: z.discriminatedUnion("type", [button, image, staticSelect, externalSelect]).optional(),
    })
    .refine(hasContent, contentless),
  z.strictObject({
    type: z.literal("actions"),
    block_id: blockId,
    elements: z
      .array(z.discriminatedUnion("type", [button, staticSelect, externalSelect]))
      .min(1)
      .max(25),
  }),
  z.strictObject({
    type: z.literal("input"),
    block_id: blockId,
    label: plainText(2000),
    hint: plainText(2000).optional(),
    optional: z.boolean().optional(),
    /** Whether a change is told to the app at once, as block_actions. */
    dispatch_action: z.boolean().optional(),
    element: z.discriminatedUnion("type", [plainTextInput, staticSelect, externalSelect, checkboxes]),
  }),
]);

/** A modal as views.open takes it, with its limits (facts, section 1.2). */
export const modal = z
  .strictObject({
    type: z.literal("modal"),
    title: plainText(24),
    submit: plainText(24).optional(),
    close: plainText(24).optional(),
    blocks: z.array(viewBlock).max(100),
    private_metadata: z.string().max(3000).optional(),
    callback_id: z.string().max(255).optional(),
    external_id: z.string().max(255).optional(),
    clear_on_close: z.boolean().optional(),
    notify_on_close: z.boolean().optional(),
  })
  .refine((view) => view.submit !== undefined || view.blocks.every((one) => one.type !== "input"), {
    message: "submit is required when there is an input block",
    path: ["submit"],
  });

export type Modal = z.infer<typeof modal>;
export type ViewBlock = Modal["blocks"][number];
type InputElement = Extract<ViewBlock, { type: "input" }>["element"];
type ActionElement = Extract<ViewBlock, { type: "actions" }>["elements"][number];

/** One element that a person can use, and the block that holds it. */
export type Field = {
  readonly blockId: string;
  readonly actionId: string;
  readonly element: InputElement | ActionElement;
  /** Undefined where it is in no input block: its changes are told at once, and are no part of a form's checks. */
  readonly input: Extract<ViewBlock, { type: "input" }> | undefined;
};

/** In reading order. Ids are as judged: none is missing. */
export function fieldsOf(blocks: readonly ViewBlock[]): readonly Field[] {
  return blocks.flatMap((block) =>
    elementsOf(block).map((element) => ({
      blockId: block.block_id ?? "",
      actionId: element.action_id ?? "",
      element,
      input: block.type === "input" ? block : undefined,
    })),
  );
}

/** The elements of one block that a person can use. */
export function elementsOf(block: ViewBlock): readonly (InputElement | ActionElement)[] {
  if (block.type === "input") return [block.element];
  if (block.type === "actions") return block.elements;
  if (block.type !== "section" || block.accessory === undefined || block.accessory.type === "image") return [];
  return [block.accessory];
}
