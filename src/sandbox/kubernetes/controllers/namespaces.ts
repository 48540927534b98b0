import type { KubeObject } from "../objects.ts";
import type { ControllerParts } from "./client.ts";
import { dropObject } from "./garbage.ts";

/** Empties the namespaces that are being deleted, and removes those in which nothing is left. */
export function emptyNamespaces(parts: ControllerParts): void {
  for (const namespace of parts.store.list("/namespaces")) {
    if (namespace.metadata.deletionTimestamp !== undefined) empty(parts, namespace);
  }
}

function empty(parts: ControllerParts, namespace: KubeObject): void {
  const { name, finalizers = [] } = namespace.metadata;
  const namespaced = parts.resources.all().filter((resource) => resource.namespaced && resource.type === "stored");
  const storages = [...new Set(namespaced.map(({ storage }) => storage))];
  for (const storage of storages) {
    for (const object of parts.store.list(storage, name)) dropObject(parts, storage, object);
  }
  const isEmpty = storages.every((storage) => parts.store.list(storage, name).length === 0);
  if (isEmpty && finalizers.length === 0) parts.store.remove("/namespaces", namespace);
}
