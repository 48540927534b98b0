import type { LabelSelector, LabelSelectorRequirement, Labels } from "./objects.ts";

/**
 * Whether the selector selects an object with these labels. Absent or empty selects everything; NotIn and DoesNotExist
 * also match where the key is absent (facts: network-policy §1, matchExpressions).
 */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  const pairs = Object.entries(selector?.matchLabels ?? {});
  const requirements = selector?.matchExpressions ?? [];
  return (
    pairs.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    requirements.every((requirement) => meets(requirement, valueOf(labels, requirement.key)))
  );
}

/** Whether a pod with the labels that both ask for, and no others, is selected by both. */
export function mayMeet(one: LabelSelector, other: LabelSelector): boolean {
  const labels = { ...one.matchLabels, ...other.matchLabels };
  return selects(one, labels) && selects(other, labels);
}

/** Whether a label's value does what the requirement asks; undefined is no such label, where NotIn and DoesNotExist hold. */
export function meets(
  { operator, values = [] }: Pick<LabelSelectorRequirement, "operator" | "values">,
  value: string | undefined,
): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** The keys that the selector needs to be present: taking any one of them off an object ends the selection. */
export function requiredKeys(selector: LabelSelector): readonly string[] {
  const needing = (selector.matchExpressions ?? []).filter(
    ({ operator }) => operator === "In" || operator === "Exists",
  );
  return [...Object.keys(selector.matchLabels ?? {}), ...needing.map(({ key }) => key)];
}

/** The selector in the query syntax of the Kubernetes API (`app=checkout,tier in (a,b),!canary`). */
export function selectorQuery(selector: LabelSelector): string {
  const pairs = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [...pairs, ...(selector.matchExpressions ?? []).map(requirementQuery)].join(",");
}

function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function requirementQuery({ key, operator, values = [] }: LabelSelectorRequirement): string {
  switch (operator) {
    case "In":
      return `${key} in (${values.join(",")})`;
    case "NotIn":
      return `${key} notin (${values.join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
  }
}
