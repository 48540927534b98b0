import type { Verb } from "../policy/access.ts";
import type { OperationKind } from "../policy/operation.ts";

/** The right that an operation of this kind needs, and the command that asks for one. */
export function verbOf(
  kind: OperationKind,
): Exclude<Verb, "approve" | "break-glass" | "status" | "audit" | "verify-enforcement"> {
  if (kind === "undo") return "rollback";
  return kind === "allowance" ? "allow" : kind;
}
