import type { types } from "@slack/bolt";
import type { Form, FormField, Suggestion } from "../commands/form.ts";
import { clean, cut, oneLine } from "./escape.ts";

/** callback_id of a form, before its kind. Its fields are input blocks; action_ids are this and the field's name. */
export const formPrefix = "np-form-";
export const fieldPrefix = "np-field:";

/** Slack's limits (`@slack/types`, facts §1.2), UTF-16 units. */
const slack = { title: 24, text: 3_000, label: 2_000, placeholder: 150, option: 75 } as const;

/** A form as a modal. `id` is all that it carries; what belongs to it is kept on our side. */
export function formView(id: string, { kind, title, about, fields }: Form): types.ModalView {
  const note: types.SectionBlock[] = about === undefined ? [] : [{ type: "section", text: plain(about, slack.text) }];
  return {
    type: "modal",
    callback_id: `${formPrefix}${kind}`,
    private_metadata: id,
    title: plain(title, slack.title),
    submit: plain("Show the plan", slack.title),
    close: plain("Cancel", slack.title),
    blocks: [...note, ...fields.map(input)],
  };
}

function input(field: FormField): types.InputBlock {
  const { name, label, hint, optional } = field;
  return {
    type: "input",
    block_id: name,
    label: plain(label, slack.label),
    ...(hint === undefined ? {} : { hint: plain(hint, slack.label) }),
    ...(optional === undefined ? {} : { optional }),
    element: element(field, `${fieldPrefix}${name}`),
  };
}

function element(field: FormField, action_id: string): types.InputBlock["element"] {
  switch (field.kind) {
    case "search": {
      const chosen = field.initial === undefined ? {} : { initial_option: option(field.initial) };
      const placeholder = plain(field.placeholder, slack.placeholder);
      return { type: "external_select", action_id, placeholder, min_query_length: 0, ...chosen };
    }
    case "menu": {
      const chosen = field.initial === undefined ? {} : { initial_option: option(field.initial) };
      return { type: "static_select", action_id, options: field.options.map(option), ...chosen };
    }
    case "words": {
      const { length, multiline, initial } = field;
      const placeholder = plain(field.placeholder, slack.placeholder);
      const given = initial === undefined ? {} : { initial_value: cut(clean(initial), length) };
      return { type: "plain_text_input", action_id, placeholder, max_length: length, multiline, ...given };
    }
    case "box": {
      const box = option(field.option);
      return { type: "checkboxes", action_id, options: [box], ...(field.ticked ? { initial_options: [box] } : {}) };
    }
  }
}

/** An option for Slack; nothing in its label acts. */
export function option({ label, value }: Suggestion): types.PlainTextOption {
  return { text: plain(label, slack.option), value };
}

/** Slack refuses an empty text. */
function plain(text: string, length: number): types.PlainTextElement {
  const shown = cut(oneLine(text), length);
  return { type: "plain_text", text: shown === "" ? "–" : shown, emoji: false };
}
