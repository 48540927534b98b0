import type { LabelSelector, NetworkPolicyPeer } from "../policy/objects.ts";

/** The control plane sets it on every namespace, and nobody can change it (facts: network-policy §1). */
export const namespaceName = "kubernetes.io/metadata.name";

export function inNamespace(namespace: string): LabelSelector {
  return { matchLabels: { [namespaceName]: namespace } };
}

/**
 * The pods of a peer with both selectors written out, since other APIs than NetworkPolicy take an absent namespaceSelector
 * for all namespaces; `namespace` is that of the policy.
 */
export function podsOf(
  { podSelector = {}, namespaceSelector }: NetworkPolicyPeer,
  namespace: string,
): { readonly namespaceSelector: LabelSelector; readonly podSelector: LabelSelector } {
  return { namespaceSelector: namespaceSelector ?? inNamespace(namespace), podSelector };
}
