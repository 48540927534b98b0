import { canonicalJson } from "./canonical.ts";

/** A FieldsV1 tree (metav1): `f:name` members, `.` for the value itself, `k:`, `v:` and `i:` for items of a list. */
type Fields = { readonly [key: string]: Fields };

/** A `fieldsV1`, as it is or as its JSON text; empty where it is neither. */
export function fieldsOf(fieldsV1: unknown): Fields {
  const value: unknown = typeof fieldsV1 === "string" ? parsed(fieldsV1) : fieldsV1;
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the first owns a field that the other does not. */
export function ownsMore(fields: Fields, than: Fields): boolean {
  return Object.entries(fields).some(([key, below]) => {
    const other = than[key];
    return other === undefined || ownsMore(below, other);
  });
}

/** Whether something that is owned there is another in `after` than it was in `before`. */
export function ownsChange(fields: Fields, before: unknown, after: unknown): boolean {
  if (isSame(before, after)) return false;
  const below = Object.entries(fields).filter(([key]) => key !== ".");
  if (below.length === 0) return true;
  // Which item of a list is meant takes the kind's schema to know: one that owns some of a list that changed may have done it.
  if (below.some(([key]) => !key.startsWith("f:"))) return true;
  return below.some(([key, deeper]) => ownsChange(deeper, member(before, key.slice(2)), member(after, key.slice(2))));
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || (one !== undefined && other !== undefined && canonicalJson(one) === canonicalJson(other));
}
