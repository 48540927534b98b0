import { acnp, join, onDb, testCases, tier } from "./antrea-cases.ts";

const dropDb = `${onDb}
  ingress: [{ action: Drop }]`;
const allowDb = `${onDb}
  ingress: [{ action: Allow }]`;
const allowIngress = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: allow, namespace: prod }
spec: { podSelector: { matchLabels: { role: db } }, ingress: [{}] }
`;

/** Selects prod/db, and does one thing to all that comes from pods. */
function standard(kind: string, version: string, spec: string, action: string): string {
  return `
apiVersion: policy.networking.k8s.io/${version}
kind: ${kind}
metadata: { name: default }
spec:
  ${spec}
  subject: { pods: { podSelector: { matchLabels: { role: db } }, namespaceSelector: { matchLabels: { env: prod } } } }
  ingress: [{ action: ${action}, from: [{ namespaces: {} }] }]
`;
}

const admin = (action: string) => standard("ClusterNetworkPolicy", "v1alpha2", "priority: 1\n  tier: Admin", action);
const baseline = (action: string) =>
  standard("ClusterNetworkPolicy", "v1alpha2", "priority: 1\n  tier: Baseline", action);
const oldAdmin = (action: string) => standard("AdminNetworkPolicy", "v1alpha1", "priority: 1", action);

testCases([
  {
    title: "A ClusterNetworkPolicy of the Admin tier stands before the application tier",
    source: "cluster-network-policy.md, Relationship with Antrea-native Policies",
    policies: join(admin("Accept"), acnp(dropDb, "priority: 1")),
    answers: { "dev/web → prod/db:5432": "allowed", "dev/web → dev/db:6000": "denied" },
  },
  {
    title: "A ClusterNetworkPolicy of the Admin tier stands after the platform tier",
    source: "cluster-network-policy.md, Relationship with Antrea-native Policies",
    policies: join(admin("Accept"), acnp(dropDb, "tier: platform\n  priority: 100")),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "A tier of one's own may stand to either side of the Admin tier",
    source: "cluster-network-policy.md, Tier Priority Reservation and Conflict Handling",
    policies: join(
      tier("before", 215),
      tier("after", 225),
      admin("Accept"),
      acnp(dropDb, "tier: before\n  priority: 1", "before"),
      acnp(allowDb, "tier: after\n  priority: 1", "after"),
    ),
    answers: { "dev/web → prod/db:5432": "denied", "dev/web → dev/db:6000": "denied" },
  },
  {
    title: "Pass of the Admin tier goes to NetworkPolicy too, past the application tier",
    source: "clusternetworkpolicy.go, cnpActionToAntreaActionMap",
    policies: join(admin("Pass"), acnp(dropDb, "priority: 1"), allowIngress),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "An AdminNetworkPolicy stands after all tiers but the baseline tier",
    source: "admin-network-policy.md, Relationship with Antrea-native Policies",
    policies: join(oldAdmin("Deny"), acnp(allowDb, "priority: 100")),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "An AdminNetworkPolicy stands before NetworkPolicy",
    source: "admin-network-policy.md, Relationship with Antrea-native Policies",
    // The tier makes it a cluster of Antrea's.
    policies: join(tier("own", 10), oldAdmin("Deny"), allowIngress),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "The Baseline tier of ClusterNetworkPolicy comes after Antrea's own",
    source: "cluster-network-policy.md, Relationship with Antrea-native Policies",
    policies: join(baseline("Deny"), acnp(allowDb, "tier: baseline\n  priority: 1")),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "The Baseline tier of ClusterNetworkPolicy is asked where nothing before it speaks",
    source: "cluster-network-policy.md, Relationship with Antrea-native Policies",
    policies: join(baseline("Deny"), acnp(dropDb.replaceAll("db", "none"), "priority: 1")),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
]);
