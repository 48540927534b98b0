import type { RawObject } from "./parse.ts";

/** What showed a change: a list, an event of the watch, or the event that an object was made. */
export type Source = "list" | "event" | "creation";

/**
 * One change that a store went through. A pod that is deleted and made again under its name is `deleted` and `added`. The
 * resourceVersion is the change's own; of what a list no longer has, that list's.
 */
export type Change<T> = { readonly source: Source; readonly resourceVersion: string } & (
  | { readonly kind: "added" | "deleted"; readonly value: T }
  | { readonly kind: "updated"; readonly value: T; readonly before: T }
);

export type Stored<T> = {
  readonly uid: string;
  readonly namespace: string;
  readonly resourceVersion: string;
  readonly value: T;
};

/** Objects by uid, and by namespace (the empty name for objects without one). */
export type Store<T> = {
  put(entry: Stored<T>, source: Source): void;
  /** What is not there changes nothing. */
  remove(uid: string, source: Source, resourceVersion: string): void;
  /** Makes the entries of a list all there is: what is missing among them is deleted, deletions first. */
  replaceAll(entries: readonly Stored<T>[], resourceVersion: string): void;
  inNamespace(namespace: string): readonly T[];
  all(): readonly T[];
};

/** `onChange` is called after the store has changed. */
export function createStore<T>(onChange: (change: Change<T>) => void): Store<T> {
  const entries = new Map<string, Stored<T>>();
  const namespaces = new Map<string, Map<string, T>>();

  function put(entry: Stored<T>, source: Source): void {
    const before = entries.get(entry.uid);
    if (before?.resourceVersion === entry.resourceVersion) return;
    entries.set(entry.uid, entry);
    const namespace = namespaces.get(entry.namespace) ?? new Map<string, T>();
    namespaces.set(entry.namespace, namespace.set(entry.uid, entry.value));
    const change = { source, resourceVersion: entry.resourceVersion, value: entry.value };
    if (before === undefined) onChange({ kind: "added", ...change });
    else onChange({ kind: "updated", ...change, before: before.value });
  }

  function remove(uid: string, source: Source, resourceVersion: string): void {
    const entry = entries.get(uid);
    if (entry === undefined) return;
    entries.delete(uid);
    const namespace = namespaces.get(entry.namespace);
    namespace?.delete(uid);
    if (namespace?.size === 0) namespaces.delete(entry.namespace);
    onChange({ kind: "deleted", source, resourceVersion, value: entry.value });
  }

  return {
    put,
    remove,
    replaceAll(next, resourceVersion) {
      const kept = new Set(next.map(({ uid }) => uid));
      for (const uid of entries.keys()) if (!kept.has(uid)) remove(uid, "list", resourceVersion);
      for (const entry of next) put(entry, "list");
    },
    inNamespace: (namespace) => [...(namespaces.get(namespace)?.values() ?? [])],
    all: () => [...entries.values()].map(({ value }) => value),
  };
}

/** A raw object as an entry. */
export function storedOf<T>(raw: unknown, parse: (raw: unknown) => T): Stored<T> {
  const { uid = "", namespace = "", resourceVersion = "" } = (raw as RawObject).metadata ?? {};
  return { uid, namespace, resourceVersion, value: parse(raw) };
}
