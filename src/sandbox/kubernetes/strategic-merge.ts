import { copy, isObject, type JsonObject, listAt, put } from "./json.ts";
import { mergeKeys, setLists } from "./list-keys.ts";

/**
 * Strategic merge patch, with the directives that kubectl sends: `$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList/…`; `$setElementOrder/…` is accepted and the order left as it is.
 */
export function applyStrategicMerge(target: unknown, patch: JsonObject): JsonObject {
  if (patch["$patch"] === "replace") return withoutDirectives(patch);
  const retained = patch["$retainKeys"];
  const result: JsonObject = isObject(target) ? { ...target } : {};
  if (Array.isArray(retained)) for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key];
  for (const [key, value] of Object.entries(patch)) mergeMember(result, key, value);
  return result;
}

function mergeMember(result: JsonObject, key: string, value: unknown): void {
  const [directive, field] = key.split("/", 2);
  if (directive === "$deleteFromPrimitiveList" && field !== undefined) {
    const unwanted = Array.isArray(value) ? value : [];
    result[field] = listAt(result, field).filter((item) => !unwanted.includes(item));
  }
  if (key.startsWith("$")) return;
  if (value === null || (isObject(value) && value["$patch"] === "delete")) delete result[key];
  else if (isObject(value)) put(result, key, applyStrategicMerge(result[key], value));
  else put(result, key, Array.isArray(value) ? mergeList(key, listAt(result, key), value) : value);
}

function mergeList(field: string, old: readonly unknown[], items: readonly unknown[]): unknown[] {
  if (setLists.has(field)) return [...new Set([...old, ...items])];
  const whole = items.some((item) => isObject(item) && item["$patch"] === "replace" && Object.keys(item).length === 1);
  const keys = mergeKeys(field, [...old, ...items]);
  if (whole || keys === undefined) return copy(items.filter((item) => !(isObject(item) && "$patch" in item)));
  const result = [...old];
  for (const item of items) if (isObject(item)) mergeItem(result, item, keys);
  return result;
}

function mergeItem(result: unknown[], item: JsonObject, keys: readonly string[]): void {
  // The protocol of a port may be left out on either side; then the port alone tells them apart.
  const same = (other: unknown): boolean =>
    isObject(other) && keys.every((key) => other[key] === item[key] || (key === "protocol" && item[key] === undefined));
  const index = result.findIndex(same);
  if (item["$patch"] === "delete") {
    if (index >= 0) result.splice(index, 1);
  } else if (index >= 0) result[index] = applyStrategicMerge(result[index], item);
  else result.push(applyStrategicMerge({}, item));
}

function withoutDirectives(patch: JsonObject): JsonObject {
  return copy(Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith("$"))));
}
