import { isLeftOutByCilium } from "../policy/cilium-labels.ts";
import type { LabelSelector, NetworkPolicyPeer } from "../policy/objects.ts";
import { namespaceName } from "./namespaces.ts";
import { type Term, termOf } from "./terms.ts";

/** Labels of an identity bear their source; a key without one would be taken for that of any source. */
const source = "k8s:";
const namespaceKey = `${source}io.kubernetes.pod.namespace`;
const clusterKey = `${source}io.cilium.k8s.policy.cluster`;

/** Every pod that Cilium manages. Without it, a selector that only asks for absence would take in nodes and the world. */
export const anyPod: Term = [{ key: namespaceKey, operator: "Exists" }];

/** A selector of the subject, which is of the policy's own namespace. */
export function subjectSelector({ matchLabels, matchExpressions }: LabelSelector): LabelSelector {
  const labels = Object.entries(matchLabels ?? {}).map(([key, value]) => [source + key, value]);
  return {
    ...(matchLabels === undefined ? {} : { matchLabels: Object.fromEntries(labels) }),
    ...(matchExpressions === undefined
      ? {}
      : { matchExpressions: matchExpressions.map((each) => ({ ...each, key: source + each.key })) }),
  };
}

/** The pods of a peer as labels of identities; a peer without a namespaceSelector is of `namespace`. */
export function podTerm({ podSelector, namespaceSelector }: NetworkPolicyPeer, namespace: string): Term {
  const own: Term = [{ key: namespaceKey, operator: "In", values: [namespace] }];
  const namespaces = namespaceSelector === undefined ? own : termOf(namespaceSelector, keyOfNamespace);
  return [...namespaces, ...termOf(podSelector, (key) => source + key)];
}

/** Keys of pods' labels that the selector asks for and that no policy of Cilium sees by default. */
export function unseenKeys(selector: LabelSelector | undefined): readonly string[] {
  return termOf(selector, (key) => key)
    .map(({ key }) => key)
    .filter(isLeftOutByCilium);
}

/**
 * The term, and the same for pods of whatever cluster: since Cilium 1.19 a selector that names no cluster is of the local
 * one only (documentation: Cluster Mesh, Network Policy).
 */
export function inEveryCluster(term: Term): readonly LabelSelector[] {
  return [{ matchExpressions: term }, { matchExpressions: [...term, { key: clusterKey, operator: "Exists" }] }];
}

/** The name of a namespace is a label of every identity; other labels of namespaces bear a prefix. */
function keyOfNamespace(key: string): string {
  return key === namespaceName ? namespaceKey : `${source}io.cilium.k8s.namespace.labels.${key}`;
}
