import { canonicalJson } from "../policy/canonical.ts";
import type { LabelSelector } from "../policy/objects.ts";
import { selects } from "../policy/selector.ts";
import type { Matcher } from "./model.ts";

/** All pods of all namespaces. */
export const everyPod: Matcher = { key: "*", labels: [] };

/** Pods of one namespace; an absent selector is all of them. */
export function podsOf(namespace: string, selector: LabelSelector | undefined): Matcher {
  const key = `${namespace}/${selectorKey(selector)}`;
  return isEmpty(selector)
    ? { key, namespace, labels: [] }
    : { key, namespace, pods: ({ labels }) => selects(selector, labels), labels: keysOf(selector) };
}

/** Pods by labels, in all namespaces that the other selector selects; an absent selector is all. */
export function podsAcross(namespaces: LabelSelector | undefined, selector: LabelSelector | undefined): Matcher {
  return {
    key: `{${selectorKey(namespaces)}}/${selectorKey(selector)}`,
    ...(isEmpty(namespaces) ? {} : { namespaces: ({ labels }) => selects(namespaces, labels) }),
    ...(isEmpty(selector) ? {} : { pods: ({ labels }) => selects(selector, labels) }),
    labels: keysOf(selector),
  };
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
