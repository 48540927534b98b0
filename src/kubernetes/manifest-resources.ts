import type { ManifestReference } from "../policy/manifest.ts";
import type { Resource } from "./resources.ts";

/** Where the API keeps objects of this kind. Throws for a kind that Bulkhead neither writes nor asks for by name. */
export function manifestResource({ apiVersion, kind }: ManifestReference): Resource {
  const plural = plurals[`${apiVersion} ${kind}`];
  const [group = "", version = ""] = apiVersion.split("/");
  if (plural === undefined) throw new Error(`${apiVersion} ${kind} is no kind that Bulkhead knows`);
  return { group, version, plural };
}

/** Never by short name: three of these kinds claim `cnp` (facts: network-policy §2). */
const plurals: Readonly<Record<string, string>> = {
  "networking.k8s.io/v1 NetworkPolicy": "networkpolicies",
  "cilium.io/v2 CiliumNetworkPolicy": "ciliumnetworkpolicies",
  "projectcalico.org/v3 Tier": "tiers",
  "projectcalico.org/v3 NetworkPolicy": "networkpolicies",
  "projectcalico.org/v3 GlobalNetworkPolicy": "globalnetworkpolicies",
  "crd.projectcalico.org/v1 Tier": "tiers",
  "crd.projectcalico.org/v1 NetworkPolicy": "networkpolicies",
  "crd.projectcalico.org/v1 GlobalNetworkPolicy": "globalnetworkpolicies",
  "crd.antrea.io/v1beta1 NetworkPolicy": "networkpolicies",
  "crd.antrea.io/v1beta1 ClusterNetworkPolicy": "clusternetworkpolicies",
  "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy": "adminnetworkpolicies",
  "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy": "clusternetworkpolicies",
  // Read only: what Cilium says of a pod.
  "cilium.io/v2 CiliumEndpoint": "ciliumendpoints",
};
