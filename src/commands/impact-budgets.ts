import type { Budget } from "../kubernetes/surroundings.ts";
import type { Labels } from "../policy/objects.ts";
import { selects } from "../policy/selector.ts";
import type { Contained } from "./impact-facts.ts";

/**
 * What each PodDisruptionBudget allows once the pods have left it, a sentence each. A quarantine is no eviction, so that no
 * budget stops it; `labelsAfter` gives a pod's labels then.
 */
export function budgetWords(
  budgets: readonly Budget[],
  contained: readonly Contained[],
  labelsAfter: (pod: Contained) => Labels,
): readonly string[] {
  return budgets.flatMap(({ name, selector, allowed, healthy, desired }) => {
    if (selector === undefined) return [];
    const leaving = contained.filter(({ labels, ready }) => ready && selects(selector, labels));
    const lost = leaving.filter((pod) => !selects(selector, labelsAfter(pod))).length;
    if (leaving.length === 0) return [];
    const is = `PodDisruptionBudget ${name} allows ${disruptions(allowed)} now`;
    if (lost === 0) return [`${is}; it still counts what is contained as healthy.`];
    if (healthy === undefined || desired === undefined)
      return [`${is}; how many it allows without what is contained is not known.`];
    const then = Math.max(0, healthy - lost - desired);
    if (then === 0 && allowed === 0) {
      return [`PodDisruptionBudget ${name} allows no disruption already: evictions and drains of its pods wait.`];
    }
    const waits = then === 0 ? ": evictions and drains of its other pods wait" : "";
    return [`${is}, and ${then} until a replacement is ready${waits}.`];
  });
}

function disruptions(allowed: number | undefined): string {
  if (allowed === undefined) return "an unknown number of disruptions";
  return allowed === 1 ? "1 disruption" : `${allowed} disruptions`;
}
