import type { LabelSelector, Labels } from "../policy/objects.ts";
import { meets } from "../policy/selector.ts";
import type { PodExample, PodIdentity } from "./model.ts";

const nameKey = "kubernetes.io/metadata.name";

/** Labels that the selector selects; where none can be, some that it does not. */
export function labelsLike({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): Labels {
  const pairs = Object.entries(matchLabels).map(([key, value]) => ({ key, operator: "In" as const, values: [value] }));
  const byKey = Map.groupBy([...pairs, ...matchExpressions], ({ key }) => key);
  const needed = [...byKey].flatMap(([key, asked]) => {
    const values = [...asked.flatMap((each) => (each.operator === "In" ? (each.values ?? []) : [])), "any", "other"];
    const value = values.find((one) => asked.every((each) => meets(each, one)));
    return asked.every((each) => meets(each, undefined)) || value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(needed);
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

/** A pod as the example has it, in a namespace that is made up for it. */
export function podLike(
  { namespaceLabels, labels, serviceAccount = "default" }: PodExample,
  namespace?: string,
): PodIdentity {
  const name = namespace ?? namespaceLabels[nameKey] ?? "elsewhere";
  return { namespace: { name, labels: { ...namespaceLabels, [nameKey]: name } }, labels, serviceAccount };
}
