import { acnp, join, onDb, testCases, tier } from "./antrea-cases.ts";

const dropDb = `${onDb}
  ingress: [{ action: Drop }]`;
const allowDb = `${onDb}
  ingress: [{ action: Allow }]`;
const passDb = `${onDb}
  ingress: [{ action: Pass }]`;

/** Selects prod/db alone, and allows nothing. */
const denyIngress = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: prod }
spec: { podSelector: { matchLabels: { role: db } } }
`;
const allowIngress = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: allow, namespace: prod }
spec: { podSelector: { matchLabels: { role: db } }, ingress: [{}] }
`;

testCases([
  {
    title: "Pods that are selected are not isolated by that",
    source: "Key differences from K8s NetworkPolicy",
    policies: acnp(`${onDb}
  ingress: [{ action: Allow, from: [{ podSelector: { matchLabels: { app: none } } }] }]`),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "Rules without peers match every source and destination",
    source: "ACNP for complete Pod isolation in selected Namespaces",
    policies: acnp(`appliedTo: [{ namespaceSelector: { matchLabels: { env: prod } } }]
  ingress: [{ action: Drop, name: drop-all-ingress }]
  egress: [{ action: Drop, name: drop-all-egress }]`),
    answers: {
      "dev/web → prod/db:5432": "denied",
      "prod/web → prod/db:5432": "denied",
      "prod/web → 8.8.8.8:53/UDP": "denied",
      "8.8.8.8 → prod/web:80": "denied",
      "dev/web → dev/db:5432": "allowed",
    },
  },
  {
    title: "The first rule that matches decides",
    source: "Key differences from K8s NetworkPolicy; Rule enforcement based on priorities",
    policies: acnp(`${onDb}
  ingress:
    - { action: Allow, from: [{ namespaceSelector: { matchLabels: { env: prod } } }] }
    - { action: Drop }
    - { action: Allow, from: [{ namespaceSelector: { matchLabels: { env: dev } } }] }`),
    answers: { "prod/web → prod/db:5432": "allowed", "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "The lower priority number comes first, by the number and not by its text",
    source: "Ordering based on policy priority",
    policies: join(acnp(allowDb, "priority: 10.5", "ten"), acnp(dropDb, "priority: 9", "nine")),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "The tier comes before the priority",
    source: "Rule enforcement based on priorities (ACNP1, ANNP1, ACNP3)",
    policies: join(
      acnp(dropDb, "tier: application\n  priority: 10", "acnp1"),
      acnp(allowDb, "tier: emergency\n  priority: 20", "acnp3"),
    ),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "A policy without a tier is in the application tier",
    source: "Static tiers",
    policies: join(acnp(dropDb, "priority: 1", "no-tier"), acnp(allowDb, "tier: platform\n  priority: 9", "platform")),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "A tier of one's own stands where its priority says",
    source: "Tier CRDs",
    policies: join(
      tier("first", 10),
      tier("late", 249),
      acnp(dropDb, "tier: first\n  priority: 100", "drop"),
      acnp(allowDb, "tier: emergency\n  priority: 1", "allow"),
      acnp(dropDb.replaceAll("db", "frontend"), "tier: emergency\n  priority: 1", "drop-web"),
      acnp(allowDb.replaceAll("db", "frontend"), "tier: late\n  priority: 1", "allow-web"),
    ),
    answers: { "dev/web → prod/db:5432": "denied", "dev/db → prod/web:80": "denied" },
  },
  {
    title: "Equal tier and priority have no defined order",
    source: "The Antrea ClusterNetworkPolicy resource, priority",
    policies: join(acnp(allowDb, "priority: 5", "allow"), acnp(dropDb, "priority: 5", "drop")),
    answers: { "dev/web → prod/db:5432": "undecided" },
  },
  {
    title: "Equal tier and priority do not matter where the verdicts are the same",
    source: "Notes and constraints",
    policies: join(acnp(dropDb, "priority: 5", "one"), acnp(dropDb, "priority: 5", "two")),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "An Allow beats a NetworkPolicy that isolates",
    source: "Static tiers",
    policies: join(acnp(allowDb), denyIngress),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "A Drop beats a NetworkPolicy that allows",
    source: "Static tiers",
    policies: join(acnp(dropDb), allowIngress),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "Reject denies as Drop does",
    source: "The Antrea ClusterNetworkPolicy resource, action",
    policies: join(acnp(dropDb.replace("Drop", "Reject")), allowIngress),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "Pass skips the later tiers and leaves it to NetworkPolicy",
    source: "The Antrea ClusterNetworkPolicy resource, action",
    policies: join(
      acnp(passDb, "tier: emergency\n  priority: 1", "pass"),
      acnp(allowDb, "tier: platform\n  priority: 1", "allow"),
      acnp(dropDb, "priority: 1", "drop"),
      denyIngress,
    ),
    answers: { "dev/web → prod/db:5432": "denied", "prod/web → dev/db:5432": "allowed" },
  },
  {
    title: "Pass also skips the later rules of its own policy, and goes on with the baseline tier",
    source: "The Antrea ClusterNetworkPolicy resource, action",
    policies: join(
      acnp(`${onDb}
  ingress: [{ action: Pass }, { action: Allow }]`),
      acnp(dropDb, "tier: baseline\n  priority: 1", "baseline"),
    ),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "The baseline tier speaks only where no NetworkPolicy selects the pod",
    source: "Static tiers; ACNP for default zero-trust cluster security posture",
    policies: join(
      acnp(
        `appliedTo: [{ namespaceSelector: {} }]
  ingress: [{ action: Drop }]`,
        "tier: baseline\n  priority: 1",
      ),
      allowIngress,
    ),
    answers: { "dev/web → prod/db:5432": "allowed", "dev/web → prod/web:80": "denied" },
  },
  {
    title: "An Allow in the baseline tier does not lift the isolation by a NetworkPolicy",
    source: "Static tiers",
    policies: join(acnp(allowDb, "tier: baseline\n  priority: 1"), denyIngress),
    answers: { "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "The direction that a policy has no rules for is left alone",
    source: "Key differences from K8s NetworkPolicy",
    policies: acnp(dropDb),
    answers: { "prod/db → dev/web:80": "allowed" },
  },
  {
    title: "Policies of both kinds are ordered by priority alone",
    source: "Ordering based on policy priority",
    policies: join(
      acnp(dropDb, "priority: 10", "cluster"),
      acnp(allowDb, "priority: 5", "own").replace("ClusterN", "N").replace("name: own", "name: own, namespace: prod"),
    ),
    answers: { "dev/web → prod/db:5432": "allowed", "dev/web → dev/db:5432": "denied" },
  },
]);
