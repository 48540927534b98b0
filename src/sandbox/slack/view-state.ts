import type { Option } from "./elements.ts";
import { type Field, fieldsOf, type ViewBlock } from "./view-blocks.ts";

/** What stands in one field, as payloads show it; `null` is empty. */
export type FieldValue =
  | { readonly type: "plain_text_input"; readonly value: string | null }
  | { readonly type: "static_select" | "external_select"; readonly selected_option: Option | null }
  | { readonly type: "checkboxes"; readonly selected_options: readonly Option[] };

/** By block_id, then by action_id: `view.state.values` of a payload. */
export type ViewState = Readonly<Record<string, Readonly<Record<string, FieldValue>>>>;

/** The fields with their initial values. */
export function initialState(blocks: readonly ViewBlock[]): ViewState {
  return fieldsOf(blocks).reduce<ViewState>((state, field) => {
    const value = initialValue(field);
    return value === undefined ? state : withValue(state, field, value);
  }, {});
}

/** As `initialState`, but what stands in a field of the same ids and type stays. */
export function keptState(blocks: readonly ViewBlock[], before: ViewState): ViewState {
  return fieldsOf(blocks).reduce((state, field) => {
    const kept = before[field.blockId]?.[field.actionId];
    return kept?.type === field.element.type ? withValue(state, field, kept) : state;
  }, initialState(blocks));
}

export function withValue(
  state: ViewState,
  { blockId, actionId }: Pick<Field, "blockId" | "actionId">,
  value: FieldValue,
): ViewState {
  return { ...state, [blockId]: { ...state[blockId], [actionId]: value } };
}

/** What the client says under a field before it sends the form; by block_id, empty where all is well. */
export function formProblems(blocks: readonly ViewBlock[], state: ViewState): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fieldsOf(blocks).flatMap((field) => {
      const problem = problemOf(field, state);
      return problem === undefined ? [] : [[field.blockId, problem]];
    }),
  );
}

/** A button has no value. */
function initialValue({ element }: Field): FieldValue | undefined {
  if (element.type === "button") return undefined;
  if (element.type === "plain_text_input") return { type: element.type, value: element.initial_value ?? null };
  if (element.type === "checkboxes") return { type: element.type, selected_options: element.initial_options ?? [] };
  return { type: element.type, selected_option: element.initial_option ?? null };
}

function problemOf({ blockId, actionId, element, input }: Field, state: ViewState): string | undefined {
  if (input === undefined) return undefined;
  const text = textOf(state[blockId]?.[actionId]);
  if (text === "") return input.optional === true ? undefined : "Please complete this required field.";
  if (element.type !== "plain_text_input") return undefined;
  const { min_length: least = 0, max_length: most = 3_000 } = element;
  if (text.length < least) return `Must be at least ${least} characters.`;
  return text.length > most ? `Must be at most ${most} characters.` : undefined;
}

/** What stands in a field, as the person reads it. */
export function textOf(value: FieldValue | undefined): string {
  if (value === undefined) return "";
  if (value.type === "checkboxes") return value.selected_options.map(({ text }) => text.text).join(", ");
  return (value.type === "plain_text_input" ? value.value : value.selected_option?.text.text) ?? "";
}
