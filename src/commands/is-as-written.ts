import { canonicalJson } from "../policy/canonical.ts";
import { type Manifest, manifestName } from "../policy/manifest.ts";

/** What is wrong with the first of these objects that is not stored as it was written; undefined where all are. */
export function mismatchAmong(
  written: readonly Manifest[],
  stored: readonly (Manifest | undefined)[],
): string | undefined {
  for (const [index, object] of written.entries()) {
    const there = stored[index];
    if (there === undefined) return `${manifestName(object)} is gone again`;
    if (!isAsWritten(object, there)) return `${manifestName(object)} is not as it was written`;
  }
  return undefined;
}

/**
 * Whether a stored object is the one that was written. A NetworkPolicy's spec has to be the same: what it allows is what
 * may stay open. Of others all that was written has to be there.
 */
function isAsWritten(written: Manifest, stored: Manifest): boolean {
  return written.apiVersion === "networking.k8s.io/v1"
    ? canonicalJson(written.spec) === canonicalJson(stored.spec)
    : holds(written.spec, stored.spec);
}

/**
 * Whether all that was written is there as it was written. Servers add defaults beside it, which then decide nothing that
 * was decided; lists are compared whole, since one more rule is another policy.
 */
function holds(written: unknown, stored: unknown): boolean {
  if (Array.isArray(written)) {
    return (
      Array.isArray(stored) &&
      stored.length === written.length &&
      written.every((item, index) => holds(item, stored[index]))
    );
  }
  if (typeof written !== "object" || written === null) return canonicalJson(written) === canonicalJson(stored);
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) return false;
  return Object.entries(written).every(([key, value]) =>
    holds(value, Object.hasOwn(stored, key) ? (stored as Record<string, unknown>)[key] : undefined),
  );
}
