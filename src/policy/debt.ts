import { breaksGlass } from "./approval.ts";
import { type Debt, type Operation, owesReview } from "./operation.ts";
import type { Plan } from "./plan.ts";

/** What a plan leaves for another person to look at, from its confirmation on. */
export function debtOf(plan: Plan | undefined, since: number): Debt | undefined {
  const because = breaksGlass(plan) ? "break-glass" : plan?.kind === "allow" ? plan.review : undefined;
  return because === undefined ? undefined : { because, since };
}

/** Whether somebody may sign it now: what nobody approved at once, anything else when it has ended. */
export function isDue(operation: Operation): boolean {
  const { state, plan } = operation;
  const isOpen = state === "running" || state === "in-force";
  return owesReview(operation) && (!isOpen || breaksGlass(plan));
}
