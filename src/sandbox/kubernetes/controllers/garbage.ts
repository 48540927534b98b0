import type { KubeObject } from "../objects.ts";
import { removeObject } from "../remove.ts";
import type { Change } from "../store.ts";
import type { ControllerParts } from "./client.ts";

/** Removes what has lost all of its owners, and what lies in a namespace that is being deleted. */
export type Garbage = {
  /** To be told of every change. */
  note(change: Change): void;
  collect(): void;
  /** A pod marked for deletion is gone, unless finalizers hold it. */
  finish(pod: KubeObject): void;
};

const whole = {
  uid: undefined,
  resourceVersion: undefined,
  gracePeriodSeconds: undefined,
  orphan: false,
  dryRun: false,
};

export function createGarbage(parts: ControllerParts): Garbage {
  const { store, resources } = parts;
  /** Of every stored object: its namespace, by uid. */
  const homes = new Map<string, string>();
  const owners = new Map<string, Set<string>>();
  let suspects = new Map<string, { storage: string; namespace: string; name: string }>();

  const suspect = (storage: string, { metadata }: KubeObject): void => {
    suspects.set(metadata.uid, { storage, namespace: metadata.namespace ?? "", name: metadata.name });
  };
  const judge = (storage: string, object: KubeObject): void => {
    const references = object.metadata.ownerReferences ?? [];
    const left = references.filter(({ uid }) => {
      const home = homes.get(uid);
      // An owner in another namespace counts as absent: a reference has no namespace to find it by.
      return home !== undefined && (home === "" || home === object.metadata.namespace);
    });
    if (references.length === left.length) return;
    if (left.length > 0) store.put(storage, { ...object, metadata: { ...object.metadata, ownerReferences: left } });
    else drop(storage, object);
  };
  const drop = (storage: string, object: KubeObject): void => {
    const resource = resources.ofStorage(storage);
    if (resource !== undefined) removeObject(parts, resource, object, whole);
  };
  const empty = (namespace: KubeObject): void => {
    const { name, finalizers = [] } = namespace.metadata;
    const storages = new Set(
      resources
        .all()
        .filter((each) => each.namespaced)
        .map(({ storage }) => storage),
    );
    let left = 0;
    for (const storage of storages) {
      for (const object of store.list(storage, name)) {
        drop(storage, object);
        if (store.get(storage, name, object.metadata.name) !== undefined) left += 1;
      }
    }
    if (left === 0 && finalizers.length === 0) store.remove("/namespaces", namespace);
  };

  return {
    note: ({ type, storage, object }) => {
      const { uid, namespace = "", ownerReferences = [] } = object.metadata;
      if (type === "DELETED") homes.delete(uid);
      else homes.set(uid, namespace);
      for (const owner of type === "DELETED" ? [] : ownerReferences) {
        const dependents = owners.get(owner.uid) ?? new Set<string>();
        owners.set(owner.uid, dependents.add(`${storage}\n${namespace}\n${object.metadata.name}`));
        if (!homes.has(owner.uid) || homes.get(owner.uid) !== namespace) suspect(storage, object);
      }
      if (type !== "DELETED") return;
      for (const key of owners.get(uid) ?? []) {
        const [where = "", home = "", name = ""] = key.split("\n");
        const dependent = store.get(where, home, name);
        if (dependent !== undefined) suspect(where, dependent);
      }
      owners.delete(uid);
    },
    collect: () => {
      const now = suspects;
      suspects = new Map();
      for (const { storage, namespace, name } of now.values()) {
        const object = store.get(storage, namespace, name);
        if (object !== undefined && object.metadata.deletionTimestamp === undefined) judge(storage, object);
      }
      for (const namespace of store.list("/namespaces")) {
        if (namespace.metadata.deletionTimestamp !== undefined) empty(namespace);
      }
    },
    finish: (pod) => {
      if ((pod.metadata.finalizers ?? []).length === 0) store.remove("/pods", pod);
    },
  };
}
