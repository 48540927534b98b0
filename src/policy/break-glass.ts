import type { Access } from "./access.ts";
import { refuseRight } from "./approval.ts";
import { formatDuration } from "./duration.ts";
import { type Refusal, refusal } from "./guard.ts";
import type { Operation } from "./operation.ts";
import type { AllowPlan } from "./plan.ts";
import { principalKey } from "./principal.ts";
import type { Ttl } from "./template.ts";
import type { UndoPlan } from "./undo-plan.ts";

/** Characters that a reason has at least: what nobody approved is to be understood afterwards. */
const shortestReason = 10;

/**
 * Why whoever asked may not open it without the agreement of others; undefined where they may, and for a plan that does
 * not. It needs the right `break-glass` wherever it writes, a reason, and somebody whom a reviewer can be told from.
 */
export function refuseBreakGlass(
  access: Access,
  operation: Operation,
  plan: AllowPlan | UndoPlan,
): Refusal | undefined {
  if (!plan.breakGlass) return undefined;
  const { principal, reason } = operation;
  if (principal.kind === "in-pod" || principalKey(principal) === undefined) {
    return refusal(
      "another person has to review it, and nobody can tell you from another: here everybody is the same",
      "Type it in Slack, or at a terminal with your own kubeconfig.",
    );
  }
  if (reason.trim().length < shortestReason) {
    return refusal(
      `--break-glass needs a reason of at least ${shortestReason} characters`,
      "Say at its end why it cannot wait for an approval.",
    );
  }
  return refuseRight(access, principal, "break-glass", { ...operation, plan });
}

/** How long what nobody approved stays open, extensions included: at most `mostMs` (breakGlass.maxTtl). */
export function breakGlassTtl(ttl: Ttl, askedMs: number | undefined, mostMs: number): Ttl | Refusal {
  const most = Math.floor(mostMs / 1_000);
  if (askedMs !== undefined && ttl.ttlSeconds > most) {
    return refusal(
      `${formatDuration(askedMs)} is more than the ${formatDuration(mostMs)} for which it may be opened without approval`,
      `Ask for ${formatDuration(mostMs)} or less, or without --break-glass.`,
    );
  }
  return { ttlSeconds: Math.min(ttl.ttlSeconds, most), maxSeconds: Math.min(ttl.maxSeconds, most) };
}
