import { canonicalJson } from "../policy/canonical.ts";
import type { Manifest } from "../policy/manifest.ts";

/**
 * Whether a stored object is the one that was written. A NetworkPolicy's spec has to be the same: what it allows is what
 * may stay open. Of others all that was written has to be there.
 */
export function isAsWritten(written: Manifest, stored: Manifest): boolean {
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
