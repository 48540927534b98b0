import { createHash } from "node:crypto";

/** Ids of a trace and of its first span, in lower-case hexadecimal as W3C's Trace Context has them: 32 and 16 digits. */
export type TraceIds = { readonly trace: string; readonly root: string };

/**
 * Those of an operation: the first 48 digits of the SHA-256 of its id. So replicas need not tell each other, and whoever
 * has the id from a card finds the trace.
 */
export function traceIdsOf(operation: string): TraceIds {
  const digest = createHash("sha256").update(operation).digest("hex");
  return { trace: digest.slice(0, 32), root: digest.slice(32, 48) };
}
