import type { types } from "@slack/bolt";

/** callback_id of the form. Its fields are input blocks of these ids; action_ids bear a prefix, for the listeners. */
export const formCallback = "np-form-quarantine";
export const fieldPrefix = "np-field:";

export type FormField = "cluster" | "namespace" | "pod" | "review" | "reason" | "run";

/** The one option of the checkbox. */
export const dryRun = "dry-run";

const title = "Quarantine a pod";

/**
 * The form as a modal. It holds no name of anything: what may be chosen is asked for, person by person, when somebody
 * types. `id` is all that it carries; what belongs to it is kept on our side.
 */
export function formView(id: string, { askCluster }: { readonly askCluster: boolean }): types.ModalView {
  return {
    type: "modal",
    callback_id: formCallback,
    private_metadata: id,
    title: plain(title),
    submit: plain("Show the plan"),
    close: plain("Cancel"),
    blocks: [
      ...(askCluster ? [search("cluster", "Cluster", "Type a part of its name")] : []),
      search("namespace", "Namespace", "Those where you may quarantine"),
      search("pod", "Pod", "Choose the namespace first, then type a part of the pod's name"),
      words("review", "Ask again after", { placeholder: "2h", length: 20, multiline: false }),
      words("reason", "Reason", { placeholder: "What was seen", length: 500, multiline: true }),
      {
        type: "input",
        block_id: "run",
        label: plain("How"),
        optional: true,
        element: {
          type: "checkboxes",
          action_id: `${fieldPrefix}run`,
          options: [{ text: plain("Dry run: only show what would be done"), value: dryRun }],
        },
      },
    ],
  };
}

function search(field: FormField, label: string, placeholder: string): types.InputBlock {
  return {
    type: "input",
    block_id: field,
    label: plain(label),
    element: {
      type: "external_select",
      action_id: `${fieldPrefix}${field}`,
      placeholder: plain(placeholder),
      min_query_length: 0,
    },
  };
}

type Words = { readonly placeholder: string; readonly length: number; readonly multiline: boolean };

function words(field: FormField, label: string, { placeholder, length, multiline }: Words): types.InputBlock {
  return {
    type: "input",
    block_id: field,
    label: plain(label),
    optional: true,
    element: {
      type: "plain_text_input",
      action_id: `${fieldPrefix}${field}`,
      placeholder: plain(placeholder),
      max_length: length,
      multiline,
    },
  };
}

function plain(text: string): types.PlainTextElement {
  return { type: "plain_text", text, emoji: false };
}
