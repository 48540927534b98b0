/** An API, in one of its versions, in which traffic can be allowed and denied, and the kinds of it that bear on that. */
export type PolicyApi = {
  readonly group: string;
  readonly version: string;
  readonly plurals: readonly string[];
  /** Where that version of the same group, or that other API, is served, this one is left alone: it has the same objects. */
  readonly unless?: string;
};

/**
 * Always by group, version and resource: three of these kinds share the short name `cnp`, and three the plural
 * `clusternetworkpolicies` (facts: network-policy §2). The last two are not simulated; where objects of them exist, they are named.
 *
 * Calico is read where it stores (crd.projectcalico.org/v1): its aggregated API, projectcalico.org/v3, leaves policies
 * out of a list whose tier the caller may not read (Calico, RBAC for tiered policies), and adds the NetworkPolicies.
 */
export const policyApis: readonly PolicyApi[] = [
  {
    group: "policy.networking.k8s.io",
    version: "v1alpha1",
    plurals: ["adminnetworkpolicies", "baselineadminnetworkpolicies"],
  },
  { group: "policy.networking.k8s.io", version: "v1alpha2", plurals: ["clusternetworkpolicies"] },
  {
    group: "cilium.io",
    version: "v2",
    plurals: ["ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies", "ciliumcidrgroups"],
  },
  {
    group: "cilium.io",
    version: "v2alpha1",
    plurals: ["ciliumcidrgroups"],
    unless: "cilium.io/v2/ciliumcidrgroups",
  },
  { group: "crd.projectcalico.org", version: "v1", plurals: calico() },
  {
    group: "projectcalico.org",
    version: "v3",
    plurals: calico(),
    unless: "crd.projectcalico.org/v1/globalnetworkpolicies",
  },
  {
    group: "crd.antrea.io",
    version: "v1beta1",
    plurals: ["clusternetworkpolicies", "networkpolicies", "tiers", "clustergroups", "groups"],
  },
  { group: "networking.k8s.aws", version: "v1alpha1", plurals: ["clusternetworkpolicies"] },
  { group: "k8s.ovn.org", version: "v1", plurals: ["egressfirewalls"] },
];

function calico(): readonly string[] {
  return ["tiers", "globalnetworkpolicies", "networkpolicies", "networksets", "globalnetworksets", "hostendpoints"];
}
