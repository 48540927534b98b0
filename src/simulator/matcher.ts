import { canonicalJson } from "../policy/canonical.ts";
import type { LabelSelector } from "../policy/objects.ts";
import { selects } from "../policy/selector.ts";
import { bothExamples, labelsLike } from "./examples.ts";
import type { Matcher, PodIdentity } from "./model.ts";

/** All pods of all namespaces. */
export const everyPod: Matcher = { key: "*", labels: [], example: { namespaceLabels: {}, labels: {} } };

export const noPod: Matcher = { ...everyPod, key: "none", namespaces: () => false };

/** Pods of one namespace; an absent selector is all of them. */
export function podsOf(namespace: string, selector: LabelSelector | undefined): Matcher {
  const key = `${namespace}/${selectorKey(selector)}`;
  const example = { namespaceLabels: {}, labels: labelsLike(selector) };
  return isEmpty(selector)
    ? { key, namespace, labels: [], example }
    : { key, namespace, pods: ({ labels }) => selects(selector, labels), labels: keysOf(selector), example };
}

/** Pods by labels, in all namespaces that the other selector selects; an absent selector is all. */
export function podsAcross(namespaces: LabelSelector | undefined, selector: LabelSelector | undefined): Matcher {
  return {
    key: `{${selectorKey(namespaces)}}/${selectorKey(selector)}`,
    ...(isEmpty(namespaces) ? {} : { namespaces: ({ labels }) => selects(namespaces, labels) }),
    ...(isEmpty(selector) ? {} : { pods: ({ labels }) => selects(selector, labels) }),
    labels: keysOf(selector),
    example: { namespaceLabels: labelsLike(namespaces), labels: labelsLike(selector) },
  };
}

/** Pods that run as one ServiceAccount. */
export function podsOfAccount(namespace: string, name: string): Matcher {
  return {
    key: `${namespace}/account:${name}`,
    namespace,
    pods: ({ serviceAccount }) => serviceAccount === name,
    labels: [],
    example: { namespaceLabels: {}, labels: {}, serviceAccount: name },
  };
}

/** Pods that at least one of them selects. */
export function anyOf(matchers: readonly Matcher[]): Matcher {
  const [first = noPod, ...more] = matchers;
  if (more.length === 0) return first;
  return {
    key: `any(${matchers.map(({ key }) => key).join("|")})`,
    pods: (pod) => matchers.some((matcher) => isSelected(matcher, pod)),
    labels: matchers.flatMap(({ labels }) => labels),
  };
}

/** Pods that both select. */
export function bothOf(a: Matcher, b: Matcher): Matcher {
  if (a.key === everyPod.key) return b;
  if (a.namespace !== undefined && b.namespace !== undefined && a.namespace !== b.namespace) return noPod;
  const namespace = a.namespace ?? b.namespace;
  const example = bothExamples(a.example, b.example);
  return {
    key: `both(${a.key}&${b.key})`,
    ...(namespace === undefined ? {} : { namespace }),
    namespaces: (each) => a.namespaces?.(each) !== false && b.namespaces?.(each) !== false,
    pods: (pod) => a.pods?.(pod) !== false && b.pods?.(pod) !== false,
    labels: [...a.labels, ...b.labels],
    ...(example && { example }),
  };
}

/** Whether the matcher selects a pod; for one of the host network the answer means nothing. */
export function isSelected({ namespace, namespaces, pods }: Matcher, pod: PodIdentity): boolean {
  if (namespace !== undefined && namespace !== pod.namespace.name) return false;
  return namespaces?.(pod.namespace) !== false && pods?.(pod) !== false;
}

/** Whether every pod is selected, as can be seen without asking. */
export function selectsAll({ namespace, namespaces, pods }: Matcher): boolean {
  return namespace === undefined && namespaces === undefined && pods === undefined;
}

function isEmpty(selector: LabelSelector | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;
}

function keysOf(selector: LabelSelector | undefined): readonly string[] {
  const expressions = selector?.matchExpressions ?? [];
  return [...Object.keys(selector?.matchLabels ?? {}), ...expressions.map(({ key }) => key)];
}

function selectorKey(selector: LabelSelector | undefined): string {
  return isEmpty(selector)
    ? ""
    : canonicalJson({ l: selector?.matchLabels ?? {}, e: selector?.matchExpressions ?? [] });
}
