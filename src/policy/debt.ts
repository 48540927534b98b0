import type { Debt, Operation } from "./operation.ts";
import type { Plan } from "./plan.ts";

/** What a plan leaves for another person to look at, from its confirmation on. */
export function debtOf(plan: Plan | undefined, since: number): Debt | undefined {
  if (plan?.kind !== "allow") return undefined;
  const because = plan.breakGlass ? "break-glass" : plan.review;
  return because === undefined ? undefined : { because, since };
}

/** Whether somebody may sign it now: what nobody approved at once, anything else when it has ended. */
export function isDue({ debt, state, plan }: Operation): boolean {
  if (debt === undefined || debt.reviewed !== undefined) return false;
  const isOpen = state === "running" || state === "in-force";
  return !isOpen || (plan?.kind === "allow" && plan.breakGlass);
}
