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
  let changes: Change[] = [];
  let revision = 1;
  let oldest = 1;

  const objectsOf = (storage: string): Map<string, KubeObject> => {
    const objects = storages.get(storage) ?? new Map<string, KubeObject>();
    storages.set(storage, objects);
    return objects;
  };
  const forget = (count: number): void => {
    oldest = changes[count - 1]?.revision ?? oldest;
    changes = changes.slice(count);
  };
  const record = (change: Change): void => {
    changes.push(change);
    // Dropped in blocks: slicing for every change would copy the whole history each time.
    if (changes.length >= historySize * 1.25) forget(changes.length - historySize);
    for (const listener of listeners) listener(change);
  };
  const stamped = (object: KubeObject): KubeObject => {
    revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  };

  return {
    revision: () => revision,
    oldest: () => oldest,
    get: (storage, namespace, name) => objectsOf(storage).get(`${namespace}/${name}`),
    list: (storage, namespace) => sorted(objectsOf(storage), namespace),
    listAt: (storage, then, namespace) => {
      if (then < oldest) return undefined;
      const objects = new Map(objectsOf(storage));
      for (const change of changes.toReversed()) {
        if (change.revision > then && change.storage === storage) undo(objects, change);
      }
      return sorted(objects, namespace);
    },
    put: (storage, draft) => {
      const previous = objectsOf(storage).get(keyOf(draft));
      const object = stamped(draft);
      objectsOf(storage).set(keyOf(object), object);
      record({ revision, type: previous === undefined ? "ADDED" : "MODIFIED", storage, object, previous });
      return object;
    },
    remove: (storage, last) => {
      const previous = objectsOf(storage).get(keyOf(last));
      const object = stamped(last);
      objectsOf(storage).delete(keyOf(object));
      record({ revision, type: "DELETED", storage, object, previous });
      return object;
    },
    since: (then) => (then < oldest ? undefined : changes.filter((change) => change.revision > then)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    expireHistory: () => {
      forget(changes.length);
      // One more revision, so that even a client that has seen everything holds an expired one.
      revision += 1;
      oldest = revision;
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

function undo(objects: Map<string, KubeObject>, { object, previous }: Change): void {
  if (previous === undefined) objects.delete(keyOf(object));
  else objects.set(keyOf(previous), previous);
}
