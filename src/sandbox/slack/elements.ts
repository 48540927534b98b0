import { z } from "zod";

/** The elements and composition objects of Block Kit that Bulkhead may send, with the limits of docs.slack.dev/reference/block-kit. */
export const blockId = z.string().max(255).optional();
const actionId = z.string().min(1).max(255).optional();
export const plainText = (max: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const mrkdwn = (max: number) =>
  z.strictObject({ type: z.literal("mrkdwn"), text: z.string().min(1).max(max), verbatim: z.boolean().optional() });
export const anyText = (max: number) => z.discriminatedUnion("type", [plainText(max), mrkdwn(max)]);

const confirm = z
  .strictObject({
    title: plainText(100),
    text: anyText(300),
    confirm: plainText(30),
    deny: plainText(30),
    style: z.enum(["primary", "danger"]).optional(),
  })
  .optional();

export const button = z.strictObject({
  type: z.literal("button"),
  text: plainText(75),
  action_id: actionId,
  value: z.string().max(2000).optional(),
  url: z.string().max(3000).optional(),
  style: z.enum(["primary", "danger"]).optional(),
  accessibility_label: z.string().max(75).optional(),
  confirm,
});

export const image = z.strictObject({
  type: z.literal("image"),
  image_url: z.string().max(3000),
  alt_text: z.string().min(1).max(2000),
});

/** Sources disagree whether a value may have 75 or 150 characters: the shorter holds here. */
export const option = z.strictObject({
  text: plainText(75),
  value: z.string().min(1).max(75),
  description: plainText(75).optional(),
});
export const options = z.array(option).max(100);
export const optionGroups = z.array(z.strictObject({ label: plainText(75), options: options.min(1) })).max(100);

const menu = {
  action_id: actionId,
  placeholder: plainText(150).optional(),
  initial_option: option.optional(),
  focus_on_load: z.boolean().optional(),
  confirm,
};

export const staticSelect = z
  .strictObject({
    type: z.literal("static_select"),
    ...menu,
    options: options.min(1).optional(),
    option_groups: optionGroups.min(1).optional(),
  })
  .refine((select) => (select.options === undefined) !== (select.option_groups === undefined), {
    message: "one of options and option_groups is required",
  })
  .refine(
    (select) => select.initial_option === undefined || offered(select, select.initial_option.value) !== undefined,
    { message: "initial_option must be one of the options" },
  );

/** Its options come from the app; without min_query_length Slack asks for none before the third character. */
export const externalSelect = z.strictObject({
  type: z.literal("external_select"),
  ...menu,
  min_query_length: z.int().min(0).optional(),
});

export const plainTextInput = z.strictObject({
  type: z.literal("plain_text_input"),
  action_id: actionId,
  placeholder: plainText(150).optional(),
  initial_value: z.string().max(3000).optional(),
  multiline: z.boolean().optional(),
  min_length: z.int().min(0).max(3000).optional(),
  max_length: z.int().min(1).max(3000).optional(),
  dispatch_action_config: z
    .strictObject({ trigger_actions_on: z.array(z.enum(["on_enter_pressed", "on_character_entered"])).min(1) })
    .optional(),
  focus_on_load: z.boolean().optional(),
});

/** Boxes to tick: at most ten. */
export const checkboxes = z.strictObject({
  type: z.literal("checkboxes"),
  action_id: actionId,
  options: z.array(option).min(1).max(10),
  initial_options: z.array(option).min(1).max(10).optional(),
  focus_on_load: z.boolean().optional(),
});

export type Button = z.infer<typeof button>;
export type Option = z.infer<typeof option>;

type Offer = {
  readonly options?: readonly Option[] | undefined;
  readonly option_groups?: z.infer<typeof optionGroups> | undefined;
};

/** The option of that value in a menu, in its groups too. */
export function offered(menuOffer: Offer, value: string): Option | undefined {
  const grouped = (menuOffer.option_groups ?? []).flatMap((group) => group.options);
  return [...(menuOffer.options ?? []), ...grouped].find((one) => one.value === value);
}
