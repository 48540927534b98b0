import { z } from "zod";

/**
 * A mapping with just these fields: any other is a problem. A field that is null counts as absent, as the API server
 * reads it (an unknown one is still told). Use `exactOptional()` for what may be absent.
 */
export function fields<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape);
  const object = z.strictObject(shape, {
    error: ({ code }) => (code === "unrecognized_keys" ? `is no field here; there are ${known.join(", ")}` : undefined),
  });
  return z.preprocess((value) => withoutNulls(value, known), object);
}

/** For `superRefine` on a mapping of which exactly one of these fields may be given. */
export function exactlyOne(names: readonly string[]) {
  return (value: object, context: z.RefinementCtx): void => {
    const given = names.filter((name) => Object.hasOwn(value, name));
    if (given.length === 1) return;
    const found = given.length === 0 ? "none is there" : `${given.join(" and ")} are there`;
    context.addIssue({ code: "custom", message: `needs exactly one of ${names.join(", ")}, but ${found}` });
  };
}

function withoutNulls(value: unknown, known: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const isAbsent = ([key, member]: readonly [string, unknown]) =>
    (member === null || member === undefined) && known.includes(key);
  const entries = Object.entries(value);
  return entries.some(isAbsent) ? Object.fromEntries(entries.filter((entry) => !isAbsent(entry))) : value;
}
