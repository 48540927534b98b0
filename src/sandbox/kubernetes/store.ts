import { createHistory } from "./history.ts";
import type { KubeObject } from "./objects.ts";

/** One change. `revision` is the resourceVersion that the object has after it; `previous` is what was stored before. */
export type Change = {
  readonly revision: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly storage: string;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
};

/** All objects of the cluster, with one resourceVersion counter over them, and the latest changes. */
export type Store = {
  /** The resourceVersion of the latest change. */
  revision(): number;
  get(storage: string, namespace: string, name: string): KubeObject | undefined;
  /** Sorted by namespace and name, as etcd keys are. */
  list(storage: string, namespace?: string): KubeObject[];
  /** The list as it was at that revision; undefined where the history does not reach back to it. */
  listAt(storage: string, revision: number, namespace?: string): KubeObject[] | undefined;
  /** Creates or replaces; what is stored bears the new resourceVersion. */
  put(storage: string, object: KubeObject): KubeObject;
  /** The object as it was last, with the resourceVersion of its deletion. */
  remove(storage: string, object: KubeObject): KubeObject;
  /** Changes after that revision, oldest first; undefined where the history does not reach back to it. */
  since(revision: number): readonly Change[] | undefined;
  /** The revision before the oldest change that is remembered. */
  oldest(): number;
  /** Called in order, once a change; the function that is returned ends it. */
  subscribe(listener: (change: Change) => void): () => void;
  /** Forgets all changes, so that every older resourceVersion is answered 410. */
  expireHistory(): void;
};

/** `historySize`: how many changes are remembered for watches that resume and lists that continue. */
export function createStore(historySize: number): Store {
  const storages = new Map<string, Map<string, KubeObject>>();
  const listeners = new Set<(change: Change) => void>();
  let revision = 1;
  const history = createHistory(historySize, revision);

  const objectsOf = (storage: string): Map<string, KubeObject> => {
    const objects = storages.get(storage) ?? new Map<string, KubeObject>();
    storages.set(storage, objects);
    return objects;
  };
  const change = (storage: string, draft: KubeObject, gone: boolean): KubeObject => {
    const objects = objectsOf(storage);
    const previous = objects.get(keyOf(draft));
    revision += 1;
    const object = { ...draft, metadata: { ...draft.metadata, resourceVersion: String(revision) } };
    if (gone) objects.delete(keyOf(object));
    else objects.set(keyOf(object), object);
    const type = gone ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED";
    const event: Change = { revision, type, storage, object, previous };
    history.record(event);
    for (const listener of listeners) listener(event);
    return object;
  };

  return {
    revision: () => revision,
    oldest: () => history.oldest(),
    get: (storage, namespace, name) => objectsOf(storage).get(`${namespace}/${name}`),
    list: (storage, namespace) => sorted(objectsOf(storage), namespace),
    listAt: (storage, then, namespace) => {
      const later = history.since(then);
      return later === undefined ? undefined : sorted(rewound(objectsOf(storage), storage, later), namespace);
    },
    put: (storage, draft) => change(storage, draft, false),
    remove: (storage, last) => change(storage, last, true),
    since: (then) => history.since(then),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    expireHistory: () => {
      // One more revision, so that even a client that has seen everything holds an expired one.
      revision += 1;
      history.expire(revision);
    },
  };
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function sorted(objects: ReadonlyMap<string, KubeObject>, namespace: string | undefined): KubeObject[] {
  const keys = [...objects.keys()].filter((key) => namespace === undefined || key.startsWith(`${namespace}/`));
  return keys.sort().flatMap((key) => objects.get(key) ?? []);
}

/** The objects as they were before these changes. */
function rewound(
  now: ReadonlyMap<string, KubeObject>,
  storage: string,
  later: readonly Change[],
): Map<string, KubeObject> {
  const objects = new Map(now);
  for (const { object, previous } of later.filter((change) => change.storage === storage).toReversed()) {
    if (previous === undefined) objects.delete(keyOf(object));
    else objects.set(keyOf(previous), previous);
  }
  return objects;
}
