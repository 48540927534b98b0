import { expect, test } from "vitest";
import { acnp, clusterGroup, join, namespaces, onDb, pods, tier } from "./antrea-cases.ts";
import { createCluster } from "./cluster.ts";

/** What Antrea's CRDs and its webhook refuse (pkg/controller/networkpolicy/validate.go), and what is referred to and not there. */

function problems(policies: string): readonly string[] {
  const { simulator } = createCluster({ pods, namespaces, policies });
  return simulator.problems.flatMap(({ object, problems: found }) =>
    found.map(({ field, message }) => `${object.kind} ${object.name}: ${field} ${message}`),
  );
}

const ingress = (rule: string) => `${onDb}
  ingress: [${rule}]`;
const egress = (rule: string) => `${onDb}
  egress: [${rule}]`;
const drop = "{ action: Drop }";

test.each<[string, string, string | RegExp, string?]>([
  ["no priority", ingress(drop), "spec.priority is missing; it must be a number", "tier: platform"],
  ["a priority of 0", ingress(drop), "spec.priority must be at least 1", "priority: 0"],
  ["a priority beyond 10000", ingress(drop), "spec.priority must be at most 10000", "priority: 10000.5"],
  [
    "a tier that is not there",
    ingress(drop),
    "spec.tier names a Tier that is not here, gold",
    "priority: 1\n  tier: gold",
  ],
  [
    "Pass in the baseline tier",
    ingress("{ action: Pass }"),
    "spec.ingress[0].action must not be Pass in the baseline tier",
    "priority: 1\n  tier: baseline",
  ],
  ["an unknown action", ingress("{ action: Deny }"), "spec.ingress[0].action must be Allow, Drop, Reject or Pass"],
  ["no action", egress("{ to: [] }"), "spec.egress[0].action must be Allow, Drop, Reject or Pass"],
  ["`to` in an ingress rule", ingress("{ action: Drop, to: [] }"), /^spec\.ingress\[0\]\.to is no field here/],
  ["no appliedTo", `ingress: [${drop}]`, "spec.appliedTo is missing, and no rule has one"],
  [
    "appliedTo in the spec and in a rule",
    ingress("{ action: Drop, appliedTo: [{ podSelector: {} }] }"),
    "spec.ingress[0].appliedTo must be absent, as the spec has one",
  ],
  [
    "appliedTo in some of the rules",
    `ingress: [{ action: Drop, appliedTo: [{ podSelector: {} }] }, ${drop}]`,
    "spec.ingress[1].appliedTo is missing, and other rules have one",
  ],
  [
    "an ipBlock in appliedTo",
    `appliedTo: [{ ipBlock: { cidr: 10.0.0.0/8 } }]`,
    /^spec\.appliedTo\[0\]\.ipBlock is no field here/,
  ],
  [
    "a serviceAccount beside a podSelector",
    `appliedTo: [{ serviceAccount: { name: a, namespace: b }, podSelector: {} }]`,
    "spec.appliedTo[0].serviceAccount must stand alone, without other fields beside it",
  ],
  [
    "a Service beside pods",
    `appliedTo: [{ service: { name: a, namespace: b } }, { podSelector: {} }]`,
    "spec.appliedTo must not name Services and others together",
  ],
  [
    "a Service with an egress rule",
    `appliedTo: [{ service: { name: a, namespace: b } }]\n  egress: [${drop}]`,
    "spec.appliedTo must not name a Service where there is an egress rule",
  ],
  [
    "a Service with a pod as peer",
    `appliedTo: [{ service: { name: a, namespace: b } }]\n  ingress: [{ action: Drop, from: [{ podSelector: {} }] }]`,
    "spec.appliedTo must not name a Service where a peer is no ipBlock",
  ],
  [
    "a broken CIDR",
    ingress("{ action: Drop, from: [{ ipBlock: { cidr: 10.0.0.0/33 } }] }"),
    "spec.ingress[0].from[0].ipBlock.cidr is no CIDR such as 10.1.0.0/16",
  ],
  [
    "an exception outside of its block",
    ingress("{ action: Drop, from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [11.0.0.0/16] } }] }"),
    "spec.ingress[0].from[0].ipBlock.except[0] must lie inside 10.0.0.0/8, and be smaller",
  ],
  [
    "an exception that leaves nothing",
    ingress("{ action: Drop, from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.0.0.0/8] } }] }"),
    "spec.ingress[0].from[0].ipBlock.except[0] must lie inside 10.0.0.0/8, and be smaller",
  ],
  [
    "an ipBlock beside a podSelector",
    ingress("{ action: Drop, from: [{ ipBlock: { cidr: 10.0.0.0/8 }, podSelector: {} }] }"),
    "spec.ingress[0].from[0].ipBlock must stand alone, without other fields beside it",
  ],
  [
    "namespaces beside a namespaceSelector",
    ingress("{ action: Drop, from: [{ namespaces: { match: Self }, namespaceSelector: {} }] }"),
    "spec.ingress[0].from[0].namespaces must not be beside namespaceSelector",
  ],
  [
    "namespaces that say nothing",
    ingress("{ action: Drop, from: [{ namespaces: {} }] }"),
    "spec.ingress[0].from[0].namespaces needs exactly one of match, sameLabels, but none is there",
  ],
  [
    "an fqdn as a source",
    ingress("{ action: Drop, from: [{ fqdn: a.com }] }"),
    /^spec\.ingress\[0\]\.from\[0\]\.fqdn is no field here/,
  ],
  [
    "an fqdn with a slash",
    egress("{ action: Drop, to: [{ fqdn: a.com/b }] }"),
    "spec.egress[0].to[0].fqdn is no domain name, with or without *",
  ],
  [
    "an unknown operator",
    ingress("{ action: Drop, from: [{ podSelector: { matchExpressions: [{ key: a, operator: Is }] } }] }"),
    "spec.ingress[0].from[0].podSelector.matchExpressions[0].operator must be In, NotIn, Exists or DoesNotExist",
  ],
  [
    "a group that is not there",
    ingress("{ action: Drop, from: [{ group: none }] }"),
    "spec.ingress[0].from[0].group names a ClusterGroup that is not here, none",
  ],
  [
    "endPort with a port's name",
    ingress("{ action: Drop, ports: [{ port: http, endPort: 90 }] }"),
    "spec.ingress[0].ports[0].endPort needs a port that is a number",
  ],
  [
    "endPort before the port",
    ingress("{ action: Drop, ports: [{ port: 100, endPort: 90 }] }"),
    "spec.ingress[0].ports[0].endPort must be at least the port, 100",
  ],
  [
    "sourceEndPort without sourcePort",
    ingress("{ action: Drop, ports: [{ sourceEndPort: 90 }] }"),
    "spec.ingress[0].ports[0].sourceEndPort needs a sourcePort",
  ],
  [
    "ICMP as a port's protocol",
    ingress("{ action: Drop, ports: [{ protocol: ICMP }] }"),
    "spec.ingress[0].ports[0].protocol must be TCP, UDP or SCTP",
  ],
  [
    "both ICMP and IGMP in one entry",
    ingress("{ action: Drop, protocols: [{ icmp: {}, igmp: {} }] }"),
    "spec.ingress[0].protocols[0] needs exactly one of icmp, igmp, but icmp and igmp are there",
  ],
  [
    "toServices beside to",
    egress("{ action: Drop, to: [{ podSelector: {} }], toServices: [{ name: a, namespace: b }] }"),
    "spec.egress[0].toServices must not be beside to, ports or protocols",
  ],
  [
    "toServices without a namespace",
    egress("{ action: Drop, toServices: [{ name: a }] }"),
    "spec.egress[0].toServices[0].namespace is missing; it must be text",
  ],
  [
    "layer 7 with Drop",
    ingress("{ action: Drop, l7Protocols: [{ http: {} }] }"),
    "spec.ingress[0].l7Protocols needs the action Allow",
  ],
  [
    "two rules of one name",
    `${ingress("{ action: Drop, name: a }")}\n  egress: [{ action: Drop, name: a }]`,
    "spec.egress[0].name must not be that of spec.ingress[0]",
  ],
])("A ClusterNetworkPolicy with %s is a problem", (_, rules, expected, more = "priority: 5") => {
  const said = problems(acnp(rules, more));
  const start = "ClusterNetworkPolicy (crd.antrea.io) one: ";
  expect(said).toHaveLength(1);
  expect(said[0]?.slice(0, start.length)).toBe(start);
  expect(said[0]?.slice(start.length)).toEqual(
    typeof expected === "string" ? expected : expect.stringMatching(expected),
  );
});

test("A ClusterNetworkPolicy without a spec, and one of another version, are problems", () => {
  const bare = "apiVersion: crd.antrea.io/v1beta1\nkind: ClusterNetworkPolicy\nmetadata: { name: one }\n";
  expect(problems(bare)).toEqual(["ClusterNetworkPolicy (crd.antrea.io) one: spec is missing; it must be a mapping"]);
  expect(problems(acnp(ingress(drop)).replace("v1beta1", "v1alpha1"))).toEqual([
    "ClusterNetworkPolicy (crd.antrea.io) one: apiVersion must be crd.antrea.io/v1beta1, the only version that is read",
  ]);
});

test("A NetworkPolicy of Antrea's has no serviceAccount, no namespaces, and no Group of other namespaces", () => {
  const own = (spec: string) => `
apiVersion: crd.antrea.io/v1beta1
kind: NetworkPolicy
metadata: { name: own, namespace: prod }
spec: { priority: 1, ${spec} }
`;
  const group = clusterGroup("all", "{ namespaceSelector: {} }")
    .replace("Cluster", "")
    .replace("all", "all, namespace: prod");
  const start = "NetworkPolicy (crd.antrea.io) own: spec";
  expect(problems(own("appliedTo: [{ namespaceSelector: {} }]"))[0]).toMatch(
    `${start}.appliedTo[0].namespaceSelector is no field here`,
  );
  expect(
    problems(
      own("appliedTo: [{ podSelector: {} }], ingress: [{ action: Drop, from: [{ namespaces: { match: Self } }] }]"),
    )[0],
  ).toMatch(`${start}.ingress[0].from[0].namespaces is no field here`);
  expect(problems(join(own("appliedTo: [{ group: all }]"), group))).toEqual([
    `${start}.appliedTo[0].group names a Group that selects pods of other namespaces, all`,
  ]);
});

test.each([
  [
    "a priority of Antrea's own",
    tier("gold", 250),
    "Tier gold: spec.priority must be below 250, from where on they are Antrea's own",
  ],
  [
    "a priority that is no whole number",
    tier("gold", 10.5),
    "Tier gold: spec.priority is a number; it must be a whole number",
  ],
])("A Tier with %s is a problem, and so are its policies", (_, object, problem) => {
  expect(problems(join(object, acnp(ingress(drop), "priority: 1\n  tier: gold")))).toEqual([
    problem,
    "ClusterNetworkPolicy (crd.antrea.io) one: spec.tier names a Tier that could not be read, gold",
  ]);
});

test.each([
  ["nothing in it", "{}"],
  ["two kinds of members", "{ podSelector: {}, ipBlocks: [{ cidr: 10.0.0.0/8 }] }"],
  ["a namespaceSelector beside ipBlocks", "{ namespaceSelector: {}, ipBlocks: [{ cidr: 10.0.0.0/8 }] }"],
])("A ClusterGroup with %s is a problem, and so are policies that name it", (_, spec) => {
  const said = problems(join(clusterGroup("some", spec), acnp(`appliedTo: [{ group: some }]`)));
  expect(said[0]).toMatch("ClusterGroup some: spec needs one of podSelector");
  expect(said[1]).toBe(
    "ClusterNetworkPolicy (crd.antrea.io) one: spec.appliedTo[0].group names a ClusterGroup that could not be read, some",
  );
});

test("Groups of groups go one level deep, so that a circle ends", () => {
  const policies = join(clusterGroup("a", "{ childGroups: [b] }"), clusterGroup("b", "{ childGroups: [a] }"));
  expect(problems(join(policies, acnp(`appliedTo: [{ group: a }]`)))).toEqual([
    "ClusterNetworkPolicy (crd.antrea.io) one: spec.appliedTo[0].group names a ClusterGroup that is nested more than once, in b",
  ]);
});

test("What a policy that could not be read may select is undecided", () => {
  const { ask } = createCluster({ pods, namespaces, policies: acnp(ingress("{ action: Deny }")) });
  expect(ask("dev/web", "prod/db", 5432).verdict).toBe("undecided");
});

test("An answer names the policy with its API, the rule with its name, and what is not evaluated", () => {
  const policies = acnp(`${onDb}
  ingress: [{ action: Allow, protocols: [{ icmp: {} }] }, { action: Drop, name: stop }]`);
  const { ask } = createCluster({ pods, namespaces, policies });
  const policy = { kind: "ClusterNetworkPolicy (crd.antrea.io)", namespace: undefined, name: "one" };
  expect(ask("dev/web", "prod/db", 5432).ingress).toEqual({
    verdict: "denied",
    because: [{ kind: "rule", policy, rule: "ingress[1] (stop)", action: "deny", maybe: undefined }],
    notEvaluated: [{ policy, what: "protocols: ICMP and IGMP" }],
  });
});
