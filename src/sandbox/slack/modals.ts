import type { Delivery, Dispatch } from "./dispatch.ts";
import { createHands, type Hands } from "./hands.ts";
import type { SandboxUser } from "./people.ts";
import { type Submission, submitView } from "./submissions.ts";
import type { Triggers } from "./triggers.ts";
import { closedEnvelope } from "./view-payloads.ts";
import type { View, Views } from "./views.ts";

/** What people do in modals, and what they see there. `field` is an action_id or a block_id of the view on top. */
export type Modals = Hands & {
  /** The view that the person sees; undefined where none is open. */
  view(user: string): View | undefined;
  /** The person's open views, the one that is seen last. */
  readonly viewStack: (user: string) => readonly View[];
  /** The view on top, already there or to come, that satisfies it; throws after `timeoutMs` (5 000). */
  waitForView(user: string, predicate?: (view: View) => boolean, timeoutMs?: number): Promise<View>;
  readonly watchViews: Views["watch"];
  /** Sends the form. What the client itself finds wrong is not sent. */
  submit(input: { readonly user: string }): Promise<Submission>;
  /** Closes the view on top, or the whole stack; the app is told of those that asked for it. */
  closeView(input: { readonly user: string; readonly all?: boolean }): Promise<readonly Delivery[]>;
};

export type ModalParts = {
  readonly views: Views;
  readonly triggers: Triggers;
  readonly dispatch: Dispatch;
  readonly person: (id: string) => SandboxUser;
  readonly now: () => number;
};

export function createModals(parts: ModalParts): Modals {
  const { views, dispatch, person } = parts;
  const top = (user: string): View | undefined => views.stack(user).at(-1);
  return {
    ...createHands(parts),
    view: top,
    viewStack: views.stack,
    waitForView: (user, predicate = () => true, timeoutMs = 5_000) => {
      const late = (): string =>
        `no such view within ${timeoutMs} ms; open: ${top(user)?.content.title.text ?? "none"}`;
      return views.until(() => [top(user)].find((view) => view !== undefined && predicate(view)), timeoutMs, late);
    },
    watchViews: views.watch,
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
