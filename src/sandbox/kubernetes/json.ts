/** JSON as it came over the wire: nothing is known of it but that it is JSON. */
export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What lies at the path; undefined where something on the way is absent or no object. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((here, key) => (isObject(here) && Object.hasOwn(here, key) ? here[key] : undefined), value);
}

/** The object at the path, `{}` where there is none. */
export function objectAt(value: unknown, ...path: readonly string[]): JsonObject {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

/** The list at the path, empty where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" ? found : undefined;
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** The members at the path whose values are strings: labels and annotations. */
export function textsAt(value: unknown, ...path: readonly string[]): Record<string, string> {
  const pairs = Object.entries(objectAt(value, ...path));
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

/** A deep copy without undefined members; several times faster than structuredClone on small objects. */
export function copy<Value>(value: Value): Value {
  return copyAny(value) as Value;
}

function copyAny(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyAny);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (value[key] !== undefined) put(result, key, copyAny(value[key]));
  }
  return result;
}

/** Sets an own member whatever its name: plain assignment of `__proto__` would set the prototype. */
export function put(object: JsonObject, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
