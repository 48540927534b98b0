import { isDeepStrictEqual } from "node:util";
import { copy, isObject, type JsonObject, put } from "./json.ts";
import { atomicObjects, mergeKeys, setLists } from "./list-keys.ts";

/**
 * A path to something that a field manager can own, each step written as in FieldsV1: `f:labels` a member,
 * `k:{"name":"app"}` an item of a keyed list, `v:"x"` an item of a set.
 */
export type FieldPath = readonly string[];

/** Set by the server or part of the identity: nobody owns these. */
const unowned = new Set([
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "selfLink",
]);

/** Every leaf of the object that can be owned, by its key (see fieldKey). */
export function leavesOf(object: JsonObject): Map<string, FieldPath> {
  const leaves = new Map<string, FieldPath>();
  for (const [name, value] of Object.entries(object)) {
    if (name === "metadata" && isObject(value)) collectMembers(leaves, ["f:metadata"], withoutUnowned(value));
    else if (name !== "apiVersion" && name !== "kind") collect(leaves, [`f:${name}`], value);
  }
  return leaves;
}

export function fieldKey(path: FieldPath): string {
  return path.join("\n");
}

/** `.metadata.labels.app`, as conflicts name it. */
export function fieldName(path: FieldPath): string {
  return path.map((step) => (step.startsWith("f:") ? `.${step.slice(2)}` : `[${step.slice(2)}]`)).join("");
}

export function valueAt(object: unknown, path: FieldPath): unknown {
  return path.reduce((here, step) => child(here, step), object);
}

export function sameAt(one: unknown, other: unknown, path: FieldPath): boolean {
  return isDeepStrictEqual(valueAt(one, path), valueAt(other, path));
}

/** Sets the leaf, making what is missing on the way. Changes `object`. */
export function setAt(object: JsonObject, path: FieldPath, value: unknown): void {
  let here: unknown = object;
  path.forEach((step, index) => {
    const next = path[index + 1];
    if (next === undefined) setChild(here, step, copy(value));
    else {
      if (child(here, step) === undefined) setChild(here, step, next.startsWith("f:") ? fresh(step) : []);
      here = child(here, step);
    }
  });
}

/** Removes the leaf, and whatever has become empty above it. Changes `object`. */
export function removeAt(object: JsonObject, path: FieldPath): void {
  for (let length = path.length; length > 1; length -= 1) {
    const parent = valueAt(object, path.slice(0, length - 1));
    removeChild(parent, path[length - 1] ?? "");
    if (!isEmpty(parent)) return;
  }
}

function collect(leaves: Map<string, FieldPath>, path: FieldPath, value: unknown): void {
  const field = (path.at(-1) ?? "").slice(2);
  const atomic = atomicObjects.has(field);
  // An empty selector that is a plain struct in Go cannot be told from an absent one, and nobody owns it.
  if (atomic && isEmpty(value)) return;
  if (Array.isArray(value)) collectItems(leaves, path, value);
  else if (isObject(value) && !isEmpty(value) && !atomic) collectMembers(leaves, path, value);
  else leaves.set(fieldKey(path), path);
}

function collectMembers(leaves: Map<string, FieldPath>, path: FieldPath, value: JsonObject): void {
  for (const [name, member] of Object.entries(value)) collect(leaves, [...path, `f:${name}`], member);
}

function collectItems(leaves: Map<string, FieldPath>, path: FieldPath, items: readonly unknown[]): void {
  const field = (path.at(-1) ?? "").slice(2);
  const keys = mergeKeys(field, items);
  if (items.length === 0 || (keys === undefined && !setLists.has(field))) leaves.set(fieldKey(path), path);
  else {
    for (const item of items) {
      if (keys === undefined) collect(leaves, [...path, `v:${JSON.stringify(item)}`], item);
      else if (isObject(item)) collectMembers(leaves, [...path, `k:${JSON.stringify(keyOf(item, keys))}`], item);
    }
  }
}

function keyOf(item: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => item[key] !== undefined).map((key) => [key, item[key]]));
}

function withoutUnowned(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !unowned.has(name)));
}

function child(here: unknown, step: string): unknown {
  if (step.startsWith("f:")) {
    const name = step.slice(2);
    return isObject(here) && Object.hasOwn(here, name) ? here[name] : undefined;
  }
  return Array.isArray(here) ? here[indexOf(here, step)] : undefined;
}

function setChild(here: unknown, step: string, value: unknown): void {
  if (step.startsWith("f:") && isObject(here)) put(here, step.slice(2), value);
  if (!Array.isArray(here)) return;
  const index = indexOf(here, step);
  if (index >= 0) here[index] = value;
  else here.push(value);
}

function removeChild(here: unknown, step: string): void {
  if (step.startsWith("f:") && isObject(here)) delete here[step.slice(2)];
  else if (Array.isArray(here) && indexOf(here, step) >= 0) here.splice(indexOf(here, step), 1);
}

function indexOf(items: readonly unknown[], step: string): number {
  const wanted: unknown = JSON.parse(step.slice(2));
  if (step.startsWith("v:")) return items.indexOf(wanted);
  const pairs = Object.entries(isObject(wanted) ? wanted : {});
  return items.findIndex((item) => isObject(item) && pairs.every(([key, value]) => item[key] === value));
}

/** What a missing step holds at first: an item of a keyed list starts with its keys. */
function fresh(step: string): JsonObject {
  const keys: unknown = step.startsWith("k:") ? JSON.parse(step.slice(2)) : {};
  return isObject(keys) ? keys : {};
}

function isEmpty(value: unknown): boolean {
  return isObject(value) ? Object.keys(value).length === 0 : Array.isArray(value) && value.length === 0;
}
