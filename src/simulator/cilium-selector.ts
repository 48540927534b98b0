import { canonicalJson } from "../policy/canonical.ts";
import type { LabelSelector } from "../policy/objects.ts";
import { meets } from "../policy/selector.ts";
import {
  namespaceLabel,
  namespaceName,
  type Requirement,
  requirementsOf,
  type Sight,
  serviceAccountName,
  sightOf,
} from "./cilium-requirement.ts";
import { labelsLike } from "./examples.ts";
import { everyPod, noPod } from "./matcher.ts";
import type { Matcher, PeerTerm, PodExample } from "./model.ts";

/** With `maybe`, the matcher selects these pods at most. */
export type Selection = { readonly matcher: Matcher; readonly maybe: string | undefined };

/**
 * The pods of an endpointSelector: of the policy's namespace, whatever namespace it names by a `k8s:` label of
 * matchLabels; in a clusterwide policy (`namespace` undefined) of all (cilium: pkg/k8s/apis/cilium.io/utils/utils.go,
 * ParseToCiliumRule).
 */
export function subjectOf(selector: LabelSelector, namespace: string | undefined): Selection {
  if (namespace === undefined) return selectionOf(requirementsOf(selector));
  const { [`k8s:${namespaceName}`]: _, ...matchLabels } = selector.matchLabels ?? {};
  return selectionOf([...requirementsOf({ ...selector, matchLabels }), inNamespace(namespace)]);
}

/**
 * One selector of fromEndpoints or toEndpoints. Without a namespace of its own, by name or by labels, it is of the policy's
 * namespace; in a clusterwide policy, without a name, of any (utils.go, getEndpointSelector). It selects what has no labels
 * too, as nodes and addresses outside, where it only asks that labels be absent and nothing was added.
 */
export function endpointTerms(selector: LabelSelector, namespace: string | undefined): readonly PeerTerm[] {
  const own = requirementsOf(selector);
  const names = own.filter(({ source }) => isKubernetes(source)).map(({ name }) => name);
  if (own.some(({ source }) => source === "reserved") || names.includes(namespaceName)) return termsOf(own);
  if (namespace === undefined) return termsOf([...own, inAnyNamespace]);
  return termsOf(names.some((name) => name.startsWith(namespaceLabel)) ? own : [...own, inNamespace(namespace)]);
}

const inAnyNamespace: Requirement = { source: "k8s", name: namespaceName, operator: "Exists", values: [] };

function inNamespace(name: string): Requirement {
  return { source: "k8s", name: namespaceName, operator: "In", values: [name] };
}

function isKubernetes(source: string): boolean {
  return source === "k8s" || source === "any";
}

function termsOf(requirements: readonly Requirement[]): readonly PeerTerm[] {
  const { matcher, maybe } = selectionOf(requirements);
  const pods: PeerTerm = { on: ["pod"], pods: matcher, ...(maybe === undefined ? {} : { maybe }) };
  return [pods, ...unlabelledTerms("node", requirements), ...unlabelledTerms("external", requirements)];
}

/** The reserved labels that the identity of a node, or of an address outside, may have (cilium: reserved identities). */
const identities = {
  node: [["host"], ["remote-node"], ["host", "kube-apiserver"], ["remote-node", "kube-apiserver"]],
  external: [["world"], ["world-ipv4"], ["world-ipv6"], ["world", "kube-apiserver"]],
};

function unlabelledTerms(kind: "node" | "external", requirements: readonly Requirement[]): readonly PeerTerm[] {
  const known = requirements.filter(
    ({ source, name }) => isKubernetes(source) || (source === "reserved" && name !== "all"),
  );
  const fitting = identities[kind].filter((labels) =>
    known.every((each) => meets(each, each.source === "reserved" && labels.includes(each.name) ? "" : undefined)),
  );
  if (fitting.length === 0) return [];
  const sure = fitting.length === identities[kind].length && known.length === requirements.length;
  return [{ on: [kind], ...(sure ? {} : { maybe: "which reserved labels it has is not known" }) }];
}

function selectionOf(requirements: readonly Requirement[]): Selection {
  const seen = requirements.map((requirement) => ({ requirement, sight: sightOf(requirement) }));
  const unknown = seen.find(({ sight }) => sight.of === "nothing")?.sight;
  return { matcher: matcherOf(seen), maybe: unknown?.of === "nothing" ? unknown.why : undefined };
}

type Seen = { readonly requirement: Requirement; readonly sight: Sight };

function matcherOf(seen: readonly Seen[]): Matcher {
  const namespaces = seen.flatMap(({ requirement, sight }) =>
    sight.of === "namespace" ? [{ requirement, sight }] : [],
  );
  const pods = seen.flatMap(({ requirement, sight }) => (sight.of === "pod" ? [{ requirement, sight }] : []));
  const known = [...namespaces, ...pods].map(({ requirement }) => requirement);
  if (known.length === 0) return everyPod;
  if (known.some(({ source, operator }) => source === "reserved" && (operator === "In" || operator === "Exists")))
    return noPod;
  const only = known.find(
    ({ name, operator, values }) => name === namespaceName && operator === "In" && values.length === 1,
  );
  return {
    key: `cilium ${canonicalJson(known)}`,
    ...(only?.values[0] === undefined ? {} : { namespace: only.values[0] }),
    ...(namespaces.length === 0
      ? {}
      : { namespaces: (each) => namespaces.every(({ requirement, sight }) => meets(requirement, sight.read(each))) }),
    ...(pods.length === 0
      ? {}
      : { pods: (pod) => pods.every(({ requirement, sight }) => meets(requirement, sight.read(pod))) }),
    labels: pods.flatMap(({ sight }) => sight.label ?? []),
    example: exampleOf(known),
  };
}

function exampleOf(requirements: readonly Requirement[]): PodExample {
  const all = requirements.map(({ name, operator, values }) => ({ key: name, operator, values }));
  const like = Object.entries(labelsLike({ matchExpressions: all }));
  const inherited = like.filter(([key]) => key.startsWith(namespaceLabel) || key === namespaceName);
  const account = like.find(([key]) => key === serviceAccountName);
  const nameOf = (key: string): string =>
    key === namespaceName ? "kubernetes.io/metadata.name" : key.slice(namespaceLabel.length);
  return {
    namespaceLabels: Object.fromEntries(inherited.map(([key, value]) => [nameOf(key), value])),
    labels: Object.fromEntries(like.filter((each) => !inherited.includes(each) && each !== account)),
    serviceAccount: account?.[1],
  };
}
