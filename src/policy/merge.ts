import { canonicalJson } from "./canonical.ts";

/** The value that has both changes, or where both changed the same: paths such as `spec.ingress`. Absent is undefined. */
export type Merged = { readonly value: unknown; readonly conflicts: readonly string[] };

/** The three forms of a value: what both began from, and what each made of it. */
export type Forms = { readonly base: unknown; readonly one: unknown; readonly other: unknown };

/**
 * Both changes to the base. Members of objects are merged one by one. A list is one value, since its order counts and its
 * items have no names; except where all three have the same items by `name`, in the same order: then item by item.
 */
export function merge(forms: Forms, path = ""): Merged {
  const { base, one, other } = forms;
  if (same(one, other) || same(other, base)) return { value: one, conflicts: [] };
  if (same(one, base)) return { value: other, conflicts: [] };
  if (isObject(base) && isObject(one) && isObject(other)) return mergeMembers({ base, one, other }, path);
  if (Array.isArray(base) && Array.isArray(one) && Array.isArray(other)) return mergeItems({ base, one, other }, path);
  return { value: one, conflicts: [path] };
}

type Members = Readonly<Record<string, unknown>>;

function mergeMembers(
  { base, one, other }: { readonly base: Members; readonly one: Members; readonly other: Members },
  path: string,
): Merged {
  const keys = [...new Set([...Object.keys(base), ...Object.keys(one), ...Object.keys(other)])];
  const merged = keys.map((key) => ({
    key,
    ...merge({ base: base[key], one: one[key], other: other[key] }, path === "" ? key : `${path}.${key}`),
  }));
  const value = Object.fromEntries(
    merged.filter((each) => each.value !== undefined).map((each) => [each.key, each.value]),
  );
  return { value, conflicts: merged.flatMap(({ conflicts }) => conflicts) };
}

type Lists = {
  readonly base: readonly unknown[];
  readonly one: readonly unknown[];
  readonly other: readonly unknown[];
};

function mergeItems({ base, one, other }: Lists, path: string): Merged {
  const names = namesOf(base);
  if (names === undefined || !same(names, namesOf(one)) || !same(names, namesOf(other))) {
    return { value: one, conflicts: [path] };
  }
  const merged = names.map((name, at) => merge({ base: base[at], one: one[at], other: other[at] }, `${path}[${name}]`));
  return { value: merged.map(({ value }) => value), conflicts: merged.flatMap(({ conflicts }) => conflicts) };
}

/** Undefined where not every item has a name of its own. */
function namesOf(items: readonly unknown[]): readonly string[] | undefined {
  const names = items.flatMap((item) => (isObject(item) && typeof item["name"] === "string" ? [item["name"]] : []));
  return names.length === items.length && new Set(names).size === names.length ? names : undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function same(one: unknown, other: unknown): boolean {
  return one === undefined || other === undefined ? one === other : canonicalJson(one) === canonicalJson(other);
}
