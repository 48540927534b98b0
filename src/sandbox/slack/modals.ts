import type { Delivery, Dispatch } from "./dispatch.ts";
import { type Option, offered } from "./elements.ts";
import { type Found, readOptions } from "./option-answers.ts";
import type { SandboxUser } from "./people.ts";
import { type Submission, submitView } from "./submissions.ts";
import type { Triggers } from "./triggers.ts";
import { type Field, fieldsOf } from "./view-blocks.ts";
import { closedEnvelope, suggestionEnvelope, viewActionEnvelope } from "./view-payloads.ts";
import { type FieldValue, withValue } from "./view-state.ts";
import type { View, ViewChange, Views } from "./views.ts";

/** What people do in modals, and what they see there. `field` is an action_id or a block_id of the view on top. */
export type Modals = {
  /** The view that the person sees; undefined where none is open. */
  view(user: string): View | undefined;
  /** The person's open views, the one that is seen last. */
  readonly viewStack: (user: string) => readonly View[];
  /** The view on top, already there or to come, that satisfies it; throws after `timeoutMs` (5 000). */
  waitForView(user: string, predicate?: (view: View) => boolean, timeoutMs?: number): Promise<View>;
  readonly watchViews: Views["watch"];
  /** Types into a text field; where it has dispatch_action, presses Enter too: the delivery of that. */
  fill(input: In & { readonly text: string }): Promise<Delivery | undefined>;
  /** Types into an external_select. Fewer letters than its min_query_length ask nobody. */
  search(input: In & { readonly query: string }): Promise<Found>;
  /**
   * Picks the option of that value: one that is in the menu, or in what the last search found. Gives the delivery
   * where the app is told at once.
   */
  pick(input: In & { readonly option: string }): Promise<Delivery | undefined>;
  /** Presses a button in the view. */
  pressInView(input: In): Promise<Delivery>;
  /** Sends the form. What the client itself finds wrong is not sent. */
  submit(input: { readonly user: string }): Promise<Submission>;
  /** Closes the view on top, or the whole stack; the app is told of those that asked for it. */
  closeView(input: { readonly user: string; readonly all?: boolean }): Promise<readonly Delivery[]>;
};

type In = { readonly user: string; readonly field: string };

export type ModalParts = {
  readonly views: Views;
  readonly triggers: Triggers;
  readonly dispatch: Dispatch;
  readonly person: (id: string) => SandboxUser;
  readonly now: () => number;
};

export function createModals(parts: ModalParts): Modals {
  const { views, dispatch, person } = parts;
  /** What searches found last, by view, block and action. */
  const found = new Map<string, readonly Option[]>();
  const keyOf = (view: View, field: Field): string => JSON.stringify([view.id, field.blockId, field.actionId]);
  const top = (user: string): View | undefined => views.stack(user).at(-1);

  return {
    view: top,
    viewStack: views.stack,
    waitForView: (user, predicate = () => true, timeoutMs = 5_000) =>
      waitForView(views, user, { predicate, timeoutMs }),
    watchViews: views.watch,
    fill: async ({ user, field: name, text }) => {
      const { view, field } = find(top(user), name, "plain_text_input");
      return change(parts, view, field, { type: "plain_text_input", value: text === "" ? null : text });
    },
    search: async ({ user, field: name, query }) => {
      const { view, field } = find(top(user), name, "external_select");
      const least = "min_query_length" in field.element ? (field.element.min_query_length ?? 3) : 3;
      if (query.length < least) return { delivery: undefined, options: [], problem: undefined };
      const delivery = await dispatch.deliver(suggestionEnvelope(view, person(user), field, query));
      const answer = readOptions(delivery);
      found.set(keyOf(view, field), answer.options);
      return answer;
    },
    pick: async ({ user, field: name, option: wanted }) => {
      const { view, field } = find(top(user), name, "static_select", "external_select");
      const { element } = field;
      const choice =
        element.type === "static_select" ? element : { options: [...(found.get(keyOf(view, field)) ?? [])] };
      const option = offered(choice, wanted);
      if (option === undefined) throw new Error(`${name} offers no ${wanted}`);
      const type = element.type === "static_select" ? "static_select" : "external_select";
      return change(parts, view, field, { type, selected_option: option });
    },
    pressInView: ({ user, field: name }) => {
      const { view, field } = find(top(user), name, "button");
      return tell(parts, view, field, undefined);
    },
    submit: ({ user }) => submitView(parts, person(user)),
    closeView: async ({ user, all = false }) => {
      const view = top(user);
      if (view === undefined) throw new Error(`${user} has no view open`);
      const whole = all || view.content.clear_on_close === true;
      const closing = whole ? views.stack(user).toReversed() : [view];
      if (whole) views.clear(user);
      else views.close(view);
      const told = closing.filter(({ content }) => content.notify_on_close === true);
      return Promise.all(told.map((one) => dispatch.deliver(closedEnvelope(one, person(user), whole))));
    },
  };
}

function find(view: View | undefined, name: string, ...types: readonly Field["element"]["type"][]) {
  const field = fieldsOf(view?.content.blocks ?? []).find(
    (one) => types.includes(one.element.type) && (one.actionId === name || one.blockId === name),
  );
  if (view === undefined || field === undefined) {
    throw new Error(`no ${types.join(" or ")} ${name} in ${view?.content.title.text ?? "a view: none is open"}`);
  }
  return { view, field };
}

async function change(parts: ModalParts, view: View, field: Field, value: FieldValue): Promise<Delivery | undefined> {
  const changed = parts.views.setState(view, withValue(view.state, field, value));
  const quiet = field.input !== undefined && field.input.dispatch_action !== true;
  return quiet ? undefined : tell(parts, changed, field, value);
}

function tell(parts: ModalParts, view: View, field: Field, value: FieldValue | undefined): Promise<Delivery> {
  const act = { field, value, at: parts.now() };
  const trigger = parts.triggers.issue(view.user);
  return parts.dispatch.deliver(viewActionEnvelope(view, parts.person(view.user), act, trigger));
}

type Wanted = { readonly predicate: (view: View) => boolean; readonly timeoutMs: number };

function waitForView(views: Views, user: string, { predicate, timeoutMs }: Wanted): Promise<View> {
  const seen = (): View | undefined => {
    const view = views.stack(user).at(-1);
    return view !== undefined && predicate(view) ? view : undefined;
  };
  const present = seen();
  if (present !== undefined) return Promise.resolve(present);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      stop();
      clearTimeout(limit);
    };
    const stop = views.watch((_: ViewChange) => {
      const view = seen();
      if (view === undefined) return;
      settle();
      resolve(view);
    });
    const limit = setTimeout(() => {
      settle();
      const title = views.stack(user).at(-1)?.content.title.text ?? "none";
      reject(new Error(`no such view within ${timeoutMs} ms; open: ${title}`));
    }, timeoutMs);
  });
}
