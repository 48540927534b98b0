import type { LabelSelector, Labels } from "../policy/objects.ts";
import { meets } from "../policy/selector.ts";
import type { Matcher, PodExample, PodIdentity, SimulatedNamespace } from "./model.ts";

const nameKey = "kubernetes.io/metadata.name";

/** Labels that the selector selects, unless it asks the same label for too much. */
export function labelsLike(selector: LabelSelector | undefined): Labels {
  const expressions = selector?.matchExpressions ?? [];
  const needed = expressions.flatMap(({ key, operator, values = [] }) => {
    if (operator === "Exists") return [[key, "any"] as const];
    const others = expressions.filter((other) => other.key === key);
    const value = values.find((each) => others.every((other) => meets(other, each)));
    return operator === "In" && value !== undefined ? [[key, value] as const] : [];
  });
  return { ...Object.fromEntries(needed), ...selector?.matchLabels };
}

/** What both ask for; where they differ, neither may be had. */
export function bothExamples(a: PodExample | undefined, b: PodExample | undefined): PodExample | undefined {
  if (a === undefined || b === undefined) return undefined;
  return {
    namespaceLabels: { ...a.namespaceLabels, ...b.namespaceLabels },
    labels: { ...a.labels, ...b.labels },
    serviceAccount: a.serviceAccount ?? b.serviceAccount,
  };
}

/**
 * Pods of which one would do for the matcher's example: in some of the namespaces that there are, and in one that is not.
 * The matcher is to be asked whether it selects them.
 */
export function podsLike({ namespace, namespaces, example }: Matcher, known: readonly SimulatedNamespace[]) {
  if (example === undefined) return [];
  const { namespaceLabels, labels, serviceAccount = "default" } = example;
  const name = namespace ?? namespaceLabels[nameKey] ?? "elsewhere";
  const made = { name, labels: { ...namespaceLabels, [nameKey]: name } };
  const there = known.filter((each) => (namespace ?? each.name) === each.name && namespaces?.(each) !== false);
  const isThere = known.some((each) => each.name === name);
  return [...there.slice(0, mostNamespaces), ...(isThere ? [] : [made])].map(
    (each): PodIdentity => ({ namespace: each, labels, serviceAccount }),
  );
}

/** Of the namespaces that a selector selects, so many are tried: it seldom matters which. */
const mostNamespaces = 10;
