import type { LabelSelector, LabelSelectorRequirement } from "../policy/objects.ts";

const nothing = "!all()";

/**
 * A LabelSelector in Calico's language, where `!=` and `not in` hold where the label is absent, as NotIn does (Calico
 * reference, Selectors). Empty is `all()`.
 */
export function calicoSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const pairs = Object.entries(matchLabels).map(([key, value]) => isOneOf(key, [value]));
  const parts = [...pairs, ...matchExpressions.map(requirementText)];
  return parts.length === 0 ? "all()" : parts.join(" && ");
}

/** Asks both; `all()` asks nothing. */
export function allOf(...selectors: readonly string[]): string {
  const asked = selectors.filter((each) => each !== "all()");
  return asked.length === 0 ? "all()" : asked.join(" && ");
}

function requirementText({ key, operator, values = [] }: LabelSelectorRequirement): string {
  switch (operator) {
    case "In":
      return isOneOf(key, values);
    case "NotIn":
      return isNoneOf(key, values);
    case "Exists":
      return `has(${key})`;
    case "DoesNotExist":
      return `!has(${key})`;
  }
}

function isOneOf(key: string, values: readonly string[]): string {
  const [first, ...more] = values.flatMap(quoted);
  if (first === undefined) return nothing;
  return more.length === 0 ? `${key} == ${first}` : `${key} in {${[first, ...more].join(", ")}}`;
}

function isNoneOf(key: string, values: readonly string[]): string {
  const [first, ...more] = values.flatMap(quoted);
  if (first === undefined) return "all()";
  return more.length === 0 ? `${key} != ${first}` : `${key} not in {${[first, ...more].join(", ")}}`;
}

/** There are no escapes: a value goes into the quotes that it does not have. No label has a value with both. */
function quoted(value: string): readonly string[] {
  if (!value.includes('"')) return [`"${value}"`];
  return value.includes("'") ? [] : [`'${value}'`];
}
