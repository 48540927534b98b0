import { randomBytes, randomUUID } from "node:crypto";
import { createListeners, type Listeners } from "./listeners.ts";
import type { Modal } from "./view-blocks.ts";
import { initialState, keptState, type ViewState } from "./view-state.ts";

/** A modal as one person has it open; an update makes a new value under the same id. */
export type View = {
  readonly id: string;
  /** Another one after each update by the app. */
  readonly hash: string;
  /** Id of the view at the bottom of its stack. */
  readonly root: string;
  readonly previous: string | undefined;
  /** The only person who sees it. */
  readonly user: string;
  readonly content: Modal;
  /** What stands in its fields. */
  readonly state: ViewState;
};

export type ViewChange = { readonly kind: "opened" | "updated" | "closed"; readonly view: View };

/** Who has which modals open. Rules about who may do what are the callers'. */
export type Views = {
  /** From the bottom; the person sees the last. */
  readonly stack: (user: string) => readonly View[];
  find(key: { readonly id?: string | undefined; readonly externalId?: string | undefined }): View | undefined;
  /** A stack of its own; what that person had open before is closed. */
  open(user: string, content: Modal): View;
  /** On top of what the person has open; undefined beyond three, and where nothing is open. */
  push(user: string, content: Modal): View | undefined;
  /** Fields that are in both keep what was typed into them. */
  update(view: View, content: Modal): View;
  setState(view: View, state: ViewState): View;
  /** Closes it and what lies above it. */
  close(view: View): void;
  clear(user: string): void;
  readonly watch: Listeners<ViewChange>["watch"];
  readonly until: Listeners<ViewChange>["until"];
};

const maxStack = 3;

export function createViews(now: () => number): Views {
  const stacks = new Map<string, readonly View[]>();
  const { tell, watch, until } = createListeners<ViewChange>();
  const stack: Views["stack"] = (user) => stacks.get(user) ?? [];
  const put = (view: View): View => {
    stacks.set(view.user, replaced(stack(view.user), view));
    return view;
  };
  const add = (user: string, content: Modal): View => {
    const view = newView(user, content, { below: stack(user), hash: newHash(now()) });
    stacks.set(user, [...stack(user), view]);
    tell({ kind: "opened", view });
    return view;
  };
  const cut = (user: string, length: number): void => {
    const closed = stack(user).slice(length);
    stacks.set(user, stack(user).slice(0, length));
    for (const view of closed.toReversed()) tell({ kind: "closed", view });
  };
  return {
    stack,
    find: (key) => [...stacks.values()].flat().find((view) => isThat(view, key)),
    open: (user, content) => {
      cut(user, 0);
      return add(user, content);
    },
    push: (user, content) =>
      stack(user).length === 0 || stack(user).length >= maxStack ? undefined : add(user, content),
    update: (view, content) => {
      const state = keptState(content.blocks, view.state);
      const updated = put({ ...view, content, hash: newHash(now()), state });
      tell({ kind: "updated", view: updated });
      return updated;
    },
    setState: (view, state) => put({ ...view, state }),
    close: (view) => {
      const at = stack(view.user).findIndex((one) => one.id === view.id);
      if (at >= 0) cut(view.user, at);
    },
    clear: (user) => cut(user, 0),
    watch,
    until,
  };
}

function newView(
  user: string,
  content: Modal,
  place: { readonly below: readonly View[]; readonly hash: string },
): View {
  const { below, hash } = place;
  const id = `V0${randomUUID().replaceAll("-", "").slice(0, 9).toUpperCase()}`;
  const where = { root: below[0]?.id ?? id, previous: below.at(-1)?.id };
  return { id, user, ...where, hash, content, state: initialState(content.blocks) };
}

function replaced(views: readonly View[], view: View): readonly View[] {
  return views.map((one) => (one.id === view.id ? view : one));
}

function newHash(now: number): string {
  return `${Math.floor(now / 1_000)}.${randomBytes(4).toString("hex")}`;
}

function isThat(view: View, { id, externalId }: Parameters<Views["find"]>[0]): boolean {
  return view.id === id || (externalId !== undefined && view.content.external_id === externalId);
}
