import { randomBytes, randomUUID } from "node:crypto";
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
  stack(user: string): readonly View[];
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
  watch(listener: (change: ViewChange) => void): () => void;
};

const maxStack = 3;

export function createViews(now: () => number): Views {
  const stacks = new Map<string, readonly View[]>();
  const listeners = new Set<(change: ViewChange) => void>();
  const tell = (kind: ViewChange["kind"], view: View): View => {
    for (const listener of listeners) listener({ kind, view });
    return view;
  };
  const stack = (user: string): readonly View[] => stacks.get(user) ?? [];
  const newHash = (): string => `${Math.floor(now() / 1_000)}.${randomBytes(4).toString("hex")}`;
  const put = (view: View): View => {
    stacks.set(
      view.user,
      stack(view.user).map((one) => (one.id === view.id ? view : one)),
    );
    return view;
  };
  const add = (user: string, content: Modal, below: readonly View[]): View => {
    const id = `V0${randomUUID().replaceAll("-", "").slice(0, 9).toUpperCase()}`;
    const [bottom] = below;
    const where = { id, user, root: bottom?.id ?? id, previous: below.at(-1)?.id };
    const view: View = { ...where, hash: newHash(), content, state: initialState(content.blocks) };
    stacks.set(user, [...below, view]);
    return tell("opened", view);
  };
  const cut = (user: string, length: number): void => {
    const closed = stack(user).slice(length);
    stacks.set(user, stack(user).slice(0, length));
    for (const view of closed.toReversed()) tell("closed", view);
  };
  return {
    stack,
    find: ({ id, externalId }) =>
      [...stacks.values()]
        .flat()
        .find((view) => view.id === id || (externalId !== undefined && view.content.external_id === externalId)),
    open: (user, content) => {
      cut(user, 0);
      return add(user, content, []);
    },
    push: (user, content) => {
      const below = stack(user);
      return below.length === 0 || below.length >= maxStack ? undefined : add(user, content, below);
    },
    update: (view, content) =>
      tell("updated", put({ ...view, content, hash: newHash(), state: keptState(content.blocks, view.state) })),
    setState: (view, state) => put({ ...view, state }),
    close: (view) => {
      const at = stack(view.user).findIndex((one) => one.id === view.id);
      if (at >= 0) cut(view.user, at);
    },
    clear: (user) => cut(user, 0),
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
