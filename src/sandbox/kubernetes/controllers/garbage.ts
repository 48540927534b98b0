import type { KubeObject } from "../objects.ts";
import { removeObject } from "../remove.ts";
import type { Change } from "../store.ts";
import type { ControllerParts } from "./client.ts";

/** Removes what has lost all of its owners. */
export type Garbage = {
  /** To be told of every change. */
  note(change: Change): void;
  collect(): void;
};

type Place = { readonly storage: string; readonly namespace: string; readonly name: string };

export function createGarbage(parts: ControllerParts): Garbage {
  /** Of every stored object: its namespace, by uid. */
  const homes = new Map<string, string>();
  /** By the uid of an owner: where its dependents lie, by their uids. */
  const dependents = new Map<string, Map<string, Place>>();
  let suspects = new Map<string, Place>();

  const remember = ({ storage, object }: Change): void => {
    const { uid, namespace = "", name, ownerReferences = [] } = object.metadata;
    homes.set(uid, namespace);
    for (const owner of ownerReferences) {
      const places = dependents.get(owner.uid) ?? new Map<string, Place>();
      dependents.set(owner.uid, places.set(uid, { storage, namespace, name }));
      if (homes.get(owner.uid) !== namespace) suspects.set(uid, { storage, namespace, name });
    }
  };
  const forget = ({ metadata: { uid } }: KubeObject): void => {
    homes.delete(uid);
    suspects = new Map([...suspects, ...(dependents.get(uid) ?? [])]);
    dependents.delete(uid);
  };
  return {
    note: (change) => {
      if (change.type === "DELETED") forget(change.object);
      else remember(change);
    },
    collect: () => {
      const places = suspects.values();
      suspects = new Map();
      for (const place of places) judge(parts, homes, place);
    },
  };
}

/** Drops the references to owners that are not there, and the object with the last of them. */
function judge(parts: ControllerParts, homes: ReadonlyMap<string, string>, { storage, namespace, name }: Place): void {
  const object = parts.store.get(storage, namespace, name);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
  const references = object.metadata.ownerReferences ?? [];
  const left = references.filter(({ uid }) => {
    const home = homes.get(uid);
    // An owner in another namespace counts as absent: a reference has no namespace to find it by.
    return home === "" || (home !== undefined && home === object.metadata.namespace);
  });
  if (left.length === references.length) return;
  if (left.length === 0) dropObject(parts, storage, object);
  else parts.store.put(storage, { ...object, metadata: { ...object.metadata, ownerReferences: left } });
}

/** Deletes without preconditions, as the garbage collection and the namespace controller do. */
export function dropObject(parts: ControllerParts, storage: string, object: KubeObject): void {
  const resource = parts.resources.ofStorage(storage);
  const whole = {
    uid: undefined,
    resourceVersion: undefined,
    gracePeriodSeconds: undefined,
    orphan: false,
    dryRun: false,
  };
  if (resource !== undefined) removeObject(parts, resource, object, whole);
}
