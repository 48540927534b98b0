import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** RFC 8785 canonical JSON: the same value always gives the same bytes. Members that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("a value without a JSON form cannot be made canonical");
  return text;
}

/** SHA-256, lower-case hex (64 characters), over the UTF-8 canonical JSON of the value. */
export function canonicalHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
