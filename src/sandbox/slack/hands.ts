import type { Delivery } from "./dispatch.ts";
import { type Option, offered } from "./elements.ts";
import type { ModalParts } from "./modals.ts";
import { type Found, readOptions } from "./option-answers.ts";
import { type Field, fieldsOf } from "./view-blocks.ts";
import { suggestionEnvelope, viewActionEnvelope } from "./view-payloads.ts";
import { type FieldValue, withValue } from "./view-state.ts";
import type { View } from "./views.ts";

/** What people do with the fields of the view on top. `field` is an action_id or a block_id. */
export type Hands = {
  /** Types into a text field; where it has dispatch_action, presses Enter too: the delivery of that. */
  fill(input: In & { readonly text: string }): Promise<Delivery | undefined>;
  /** Types into an external_select. Fewer letters than its min_query_length ask nobody. */
  search(input: In & { readonly query: string }): Promise<Found>;
  /**
   * Picks the option of that value: one that is in the menu, or in what the last search found. Gives the delivery
   * where the app is told at once.
   */
  pick(input: In & { readonly option: string }): Promise<Delivery | undefined>;
  /** Ticks the boxes of those values, and no others. */
  tick(input: In & { readonly options: readonly string[] }): Promise<Delivery | undefined>;
  /** Presses a button in the view. */
  pressInView(input: In): Promise<Delivery>;
};

type In = { readonly user: string; readonly field: string };

export function createHands(parts: ModalParts): Hands {
  const { views } = parts;
  /** What searches found last, by view, block and action. */
  const found = new Map<string, readonly Option[]>();
  const place = (user: string, name: string, ...types: readonly Field["element"]["type"][]): Place =>
    locate(views.stack(user).at(-1), name, types);
  return {
    fill: async ({ user, field, text }) =>
      change(parts, place(user, field, "plain_text_input"), {
        type: "plain_text_input",
        value: text === "" ? null : text,
      }),
    search: async ({ user, field, query }) => {
      const where = place(user, field, "external_select");
      const answer = await search(parts, where, query);
      found.set(keyOf(where), answer.options);
      return answer;
    },
    pick: async ({ user, field, option: wanted }) => {
      const where = place(user, field, "static_select", "external_select");
      const { element } = where.field;
      const menu = element.type === "static_select" ? element : { options: found.get(keyOf(where)) };
      const option = offered(menu, wanted);
      if (option === undefined) throw new Error(`${field} offers no ${wanted}`);
      const type = element.type === "static_select" ? "static_select" : "external_select";
      return change(parts, where, { type, selected_option: option });
    },
    tick: async ({ user, field, options }) => {
      const where = place(user, field, "checkboxes");
      const { element } = where.field;
      const boxes = element.type === "checkboxes" ? element.options : [];
      const selected = boxes.filter(({ value }) => options.includes(value));
      if (selected.length < options.length) throw new Error(`${field} has no box ${options.join(", ")}`);
      return change(parts, where, { type: "checkboxes", selected_options: selected });
    },
    pressInView: async ({ user, field }) => tell(parts, place(user, field, "button"), undefined),
  };
}

type Place = { readonly view: View; readonly field: Field };

function locate(view: View | undefined, name: string, types: readonly Field["element"]["type"][]): Place {
  const field = fieldsOf(view?.content.blocks ?? []).find(
    (one) => types.includes(one.element.type) && (one.actionId === name || one.blockId === name),
  );
  if (view === undefined || field === undefined) {
    throw new Error(`no ${types.join(" or ")} ${name} in ${view?.content.title.text ?? "a view: none is open"}`);
  }
  return { view, field };
}

function keyOf({ view, field }: Place): string {
  return JSON.stringify([view.id, field.blockId, field.actionId]);
}

async function search(parts: ModalParts, { view, field }: Place, query: string): Promise<Found> {
  const least = field.element.type === "external_select" ? (field.element.min_query_length ?? 3) : 0;
  if (query.length < least) return { delivery: undefined, options: [], problem: undefined };
  const envelope = suggestionEnvelope(view, parts.person(view.user), field, query);
  return readOptions(await parts.dispatch.deliver(envelope));
}

async function change(parts: ModalParts, { view, field }: Place, value: FieldValue): Promise<Delivery | undefined> {
  const changed = parts.views.setState(view, withValue(view.state, field, value));
  const quiet = field.input !== undefined && field.input.dispatch_action !== true;
  return quiet ? undefined : tell(parts, { view: changed, field }, value);
}

function tell(parts: ModalParts, { view, field }: Place, value: FieldValue | undefined): Promise<Delivery> {
  const act = { field, value, at: parts.now() };
  const trigger = parts.triggers.issue(view.user);
  return parts.dispatch.deliver(viewActionEnvelope(view, parts.person(view.user), act, trigger));
}
