import { type Debt, type Operation, owesReview } from "./operation.ts";
import type { Plan } from "./plan.ts";

/** What a plan leaves for another person to look at, from its confirmation on. */
export function debtOf(plan: Plan | undefined, since: number): Debt | undefined {
  if (plan?.kind !== "allow") return undefined;
  const because = plan.breakGlass ? "break-glass" : plan.review;
  return because === undefined ? undefined : { because, since };
}

/** Whether somebody may sign it now: what nobody approved at once, anything else when it has ended. */
export function isDue(operation: Operation): boolean {
  const { state, plan } = operation;
  const isOpen = state === "running" || state === "in-force";
  return owesReview(operation) && (!isOpen || (plan?.kind === "allow" && plan.breakGlass));
}
