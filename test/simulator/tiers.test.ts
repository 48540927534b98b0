import { expect, test } from "vitest";
import { parse } from "yaml";
import type { WireObject } from "../../src/simulator/model.ts";
import { createCluster, type PodInWords } from "./cluster.ts";

/**
 * AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy around NetworkPolicy (facts: network-policy §1
 * "Upper tiers", §2.1, §2.2), worked out by hand. Each case stands in the words of both versions where both have it.
 */
const pods: Readonly<Record<string, PodInWords>> = {
  "shop/web": { labels: { app: "web" }, addresses: ["10.0.0.1"], node: "n1" },
  "shop/db": {
    labels: { app: "db" },
    addresses: ["10.0.0.2"],
    node: "n2",
    ports: [
      { name: "sql", protocol: "TCP" as const, port: 5432 },
      { name: "dns", protocol: "UDP" as const, port: 53 },
    ],
  },
  "ops/bastion": { labels: { app: "bastion" }, addresses: ["10.0.1.1"], node: "n1" },
};
const outside = "203.0.113.7";

type Spec = Readonly<Record<string, unknown>>;
type Version = "v1alpha1" | "v1alpha2";

const all = { namespaces: {} };
const named = (name: string) => ({ namespaces: { matchLabels: { "kubernetes.io/metadata.name": name } } });

/** In the words of a version: `action` is Allow in both here. */
function admin(version: Version, name: string, spec: Spec): WireObject {
  return tier(version, "Admin", name, { priority: 10, subject: all, ...spec });
}

function baseline(version: Version, spec: Spec): WireObject {
  if (version === "v1alpha2") return tier(version, "Baseline", "base", { priority: 10, subject: all, ...spec });
  return object(version, "BaselineAdminNetworkPolicy", "default", { subject: all, ...spec });
}

function tier(version: Version, name: "Admin" | "Baseline", policy: string, spec: Spec): WireObject {
  if (version === "v1alpha1") return object(version, "AdminNetworkPolicy", policy, spec);
  const text = JSON.stringify({ tier: name, ...spec }).replaceAll('"Allow"', '"Accept"');
  return object(version, "ClusterNetworkPolicy", policy, parse(text) as Spec);
}

function object(version: Version, kind: string, name: string, spec: Spec): WireObject {
  return { apiVersion: `policy.networking.k8s.io/${version}`, kind, metadata: { name }, spec };
}

/** Of namespace shop. */
function networkPolicy(spec: Spec): WireObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "np", namespace: "shop" },
    spec,
  };
}

const denyIngress = networkPolicy({ podSelector: {} });
const allowIngress = networkPolicy({ podSelector: {}, ingress: [{}] });

function verdict(policies: readonly WireObject[], from: string, to: string, port: number | string = 80): string {
  const { ask, simulator } = createCluster({ pods, policies });
  expect(simulator.problems).toEqual([]);
  return ask(from, to, port).verdict;
}

const from = (action: string, ...peers: unknown[]) => ({ ingress: [{ action, from: peers }] });
const to = (action: string, ...peers: unknown[]) => ({ egress: [{ action, to: peers }] });

test.each<Version>(["v1alpha1", "v1alpha2"])("The tiers of %s stand around NetworkPolicy", (version) => {
  const seen = (...policies: WireObject[]) => verdict(policies, "ops/bastion", "shop/db");
  const adminRule = (action: string, more: Spec = {}) =>
    admin(version, "a", { ...from(action, named("ops")), ...more });
  const base = (action: string) => baseline(version, from(action, named("ops")));
  // Allow and Deny of the first tier are final, whatever NetworkPolicy says.
  expect(seen(adminRule("Allow"), denyIngress)).toBe("allowed");
  expect(seen(adminRule("Deny"), allowIngress)).toBe("denied");
  // Pass leaves it to NetworkPolicy; without one that selects the pod, to the last tier; without that, it is allowed.
  expect(seen(adminRule("Pass"), denyIngress)).toBe("denied");
  expect(seen(adminRule("Pass"), allowIngress, base("Deny"))).toBe("allowed");
  expect(seen(adminRule("Pass"), base("Deny"))).toBe("denied");
  expect(seen(adminRule("Pass"))).toBe("allowed");
  // A NetworkPolicy that selects the pod is final: the last tier is not asked.
  expect(seen(denyIngress, base("Allow"))).toBe("denied");
  expect(seen(base("Deny"))).toBe("denied");
  expect(seen(base("Allow"))).toBe("allowed");
});

test.each<Version>(["v1alpha1", "v1alpha2"])(
  "A NetworkPolicy of one direction leaves the other to the last tier of %s",
  (version) => {
    // np isolates shop for ingress only, so db's egress is the last tier's; the trap is to ask whether any policy selects it.
    const base = baseline(version, to("Deny", named("ops")));
    expect(verdict([denyIngress, base], "shop/db", "ops/bastion")).toBe("denied");
    const both = networkPolicy({ podSelector: {}, policyTypes: ["Ingress", "Egress"], egress: [{}] });
    expect(verdict([both, base], "shop/db", "ops/bastion")).toBe("allowed");
  },
);

test.each<Version>(["v1alpha1", "v1alpha2"])(
  "The lower priority of %s comes first, and its rules from top to bottom",
  (version) => {
    const one = (name: string, priority: number, action: string) =>
      admin(version, name, { priority, ...from(action, all) });
    const seen = (...policies: WireObject[]) => verdict(policies, "ops/bastion", "shop/db");
    expect(seen(one("a", 5, "Allow"), one("b", 4, "Deny"))).toBe("denied");
    expect(seen(one("a", 3, "Allow"), one("b", 4, "Deny"))).toBe("allowed");
    // Pass skips what stands below in the tier too, of this policy and of others.
    expect(seen(one("a", 3, "Pass"), one("b", 4, "Deny"))).toBe("allowed");
    const rules = (...actions: string[]) =>
      admin(version, "a", { ingress: actions.map((action) => ({ action, from: [all] })) });
    expect(seen(rules("Allow", "Deny"))).toBe("allowed");
    expect(seen(rules("Deny", "Allow"))).toBe("denied");
  },
);

test.each<Version>(["v1alpha1", "v1alpha2"])(
  "Equal priorities of %s are undecided where they differ, and only there",
  (version) => {
    const one = (name: string, action: string, peer: unknown) => admin(version, name, from(action, peer));
    const policies = [one("a", "Allow", all), one("b", "Deny", named("ops"))];
    expect(verdict(policies, "ops/bastion", "shop/db")).toBe("undecided");
    expect(verdict(policies, "shop/web", "shop/db")).toBe("allowed");
    expect(verdict([one("a", "Deny", all), one("b", "Deny", named("ops"))], "ops/bastion", "shop/db")).toBe("denied");
  },
);

test.each<Version>(["v1alpha1", "v1alpha2"])(
  "A policy of %s isolates nobody, and acts on its subject alone",
  (version) => {
    // An allow for web: everybody else is not thereby denied. The deny is for ops: shop is not its subject.
    expect(verdict([admin(version, "a", from("Allow", named("shop")))], "ops/bastion", "shop/db")).toBe("allowed");
    const forOps = admin(version, "a", { subject: named("ops"), ...from("Deny", all) });
    expect(verdict([forOps], "ops/bastion", "shop/db")).toBe("allowed");
    expect(verdict([forOps], "shop/db", "ops/bastion")).toBe("denied");
    // Namespace and labels must both hold: only shop/web is both.
    const byLabels = {
      pods: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
        podSelector: { matchLabels: { app: "web" } },
      },
    };
    const forWeb = admin(version, "a", { subject: byLabels, ...from("Deny", all) });
    expect([verdict([forWeb], "ops/bastion", "shop/web"), verdict([forWeb], "ops/bastion", "shop/db")]).toEqual([
      "denied",
      "allowed",
    ]);
    const fromWeb = admin(version, "a", from("Deny", byLabels));
    expect([verdict([fromWeb], "shop/web", "shop/db"), verdict([fromWeb], "ops/bastion", "shop/db")]).toEqual([
      "denied",
      "allowed",
    ]);
  },
);

test.each<Version>(["v1alpha1", "v1alpha2"])("Ingress of %s cannot match what is no pod", (version) => {
  const deny = admin(version, "a", from("Deny", all));
  expect(verdict([deny], outside, "shop/db")).toBe("allowed");
  expect(verdict([deny, denyIngress], outside, "shop/db")).toBe("denied");
});

test.each<Version>(["v1alpha1", "v1alpha2"])("Networks of %s match pods too, whatever ipBlock does", (version) => {
  const deny = admin(version, "a", to("Deny", { networks: ["10.0.0.0/31", "203.0.113.0/24"] }));
  // 10.0.0.0/31 is .0 and .1: web, not db.
  expect(verdict([deny], "ops/bastion", "shop/web")).toBe("denied");
  expect(verdict([deny], "ops/bastion", "shop/db")).toBe("allowed");
  expect(verdict([deny], "ops/bastion", outside)).toBe("denied");
  expect(verdict([deny], "ops/bastion", "2001:db8::1")).toBe("allowed");
  const everything = admin(version, "a", to("Deny", { networks: ["0.0.0.0/0"] }));
  expect(verdict([everything], "ops/bastion", "shop/db")).toBe("denied");
});

test.each<Version>(["v1alpha1", "v1alpha2"])(
  "Pods of the host network are neither subjects nor peers of %s",
  (version) => {
    const agent = { hostNetwork: true, addresses: ["192.168.0.3"], node: "n3" };
    const asked = (policy: WireObject, one: string, other: string) =>
      createCluster({ pods: { ...pods, "shop/agent": agent }, policies: [policy] }).ask(one, other, 80).verdict;
    expect(asked(admin(version, "a", from("Deny", all)), "shop/agent", "shop/db")).toBe("allowed");
    expect(asked(admin(version, "a", from("Deny", all)), "shop/db", "shop/agent")).toBe("allowed");
    expect(asked(admin(version, "a", to("Deny", { networks: ["192.168.0.0/24"] })), "shop/db", "shop/agent")).toBe(
      "denied",
    );
  },
);

test.each<[Version, string, unknown, readonly string[]]>([
  ["v1alpha1", "a number, TCP by default", { portNumber: { port: 80 } }, ["80", "!81", "!80/UDP"]],
  ["v1alpha1", "a number of a protocol", { portNumber: { protocol: "UDP", port: 53 } }, ["53/UDP", "!53"]],
  ["v1alpha1", "a range", { portRange: { start: 80, end: 82 } }, ["!79", "80", "82", "!83", "!81/UDP"]],
  ["v1alpha1", "a range of one port", { portRange: { start: 80, end: 80 } }, ["80", "!81"]],
  ["v1alpha1", "a name", { namedPort: "sql" }, ["5432", "!5433", "!5432/UDP"]],
  ["v1alpha1", "a name that is one of UDP", { namedPort: "dns" }, ["53/UDP", "!53"]],
  ["v1alpha2", "a number", { tcp: { destinationPort: { number: 80 } } }, ["80", "!81", "!80/UDP"]],
  [
    "v1alpha2",
    "a range",
    { sctp: { destinationPort: { range: { start: 80, end: 82 } } } },
    ["80/SCTP", "82/SCTP", "!83/SCTP", "!80"],
  ],
  ["v1alpha2", "a name", { destinationNamedPort: "sql" }, ["5432", "!5433", "!5432/UDP"]],
])("A rule of %s with ports by %s denies just these", (version, _, port, expected) => {
  const ports = version === "v1alpha1" ? { ports: [port] } : { protocols: [port] };
  const policy = admin(version, "a", { ingress: [{ action: "Deny", from: [all], ...ports }] });
  const { ask } = createCluster({ pods, policies: [policy] });
  const denied = (text: string) => ask("ops/bastion", "shop/db", text).verdict === "denied";
  expect(
    expected.map((text) => (denied(text.replace("!", "")) ? text.replace("!", "") : `!${text.replace("!", "")}`)),
  ).toEqual(expected);
});

test.each<Version>(["v1alpha1", "v1alpha2"])(
  "An allow of %s for domain names may match any address, or nothing",
  (version) => {
    const allow = { action: "Allow", to: [{ domainNames: ["*.example.com"] }] };
    const policy = admin(version, "a", { egress: [allow, { action: "Deny", to: [{ networks: ["0.0.0.0/0"] }] }] });
    const { ask } = createCluster({ pods, policies: [policy] });
    const answer = ask("shop/web", outside, 443);
    expect(answer.verdict).toBe("undecided");
    expect(answer.egress.notEvaluated.map(({ what }) => what)).toEqual([expect.stringContaining("domainNames")]);
    // What is allowed anyway is not made doubtful by it.
    expect(verdict([admin(version, "a", { egress: [allow] })], "shop/web", outside)).toBe("allowed");
  },
);

test.each<Version>(["v1alpha1", "v1alpha2"])(
  "A deny of %s for nodes is a deny of everything where it is not known",
  (version) => {
    const deny = (peers: unknown[]) => admin(version, "a", to("Deny", ...peers));
    expect(verdict([deny([{ nodes: {} }])], "shop/web", outside)).toBe("undecided");
    // Denied in both readings.
    expect(verdict([deny([{ nodes: {} }, named("shop")])], "shop/web", "shop/db")).toBe("denied");
    // Nodes are not evaluated in the other: an allow for them allows nothing for sure.
    const allow = admin(version, "a", {
      egress: [
        { action: "Allow", to: [{ nodes: {} }, named("shop")] },
        { action: "Deny", to: [all] },
      ],
    });
    expect(verdict([allow], "shop/web", "shop/db")).toBe("undecided");
    expect(verdict([allow], "shop/web", "ops/bastion")).toBe("denied");
  },
);

const rule = { action: "Deny", from: [all] };
const times = (count: number, each: unknown) => Array.from({ length: count }, () => each);

test.each<[string, WireObject, string]>([
  ["no priority", object("v1alpha1", "AdminNetworkPolicy", "a", { subject: all }), "spec.priority"],
  ["a priority over 1000", admin("v1alpha1", "a", { priority: 1_001 }), "spec.priority"],
  ["a priority over 1000", admin("v1alpha2", "a", { priority: 1_001 }), "spec.priority"],
  ["a negative priority", admin("v1alpha2", "a", { priority: -1 }), "spec.priority"],
  ["no subject", object("v1alpha1", "BaselineAdminNetworkPolicy", "default", {}), "spec.subject"],
  ["an empty subject", admin("v1alpha1", "a", { subject: {} }), "spec.subject"],
  ["two subjects", admin("v1alpha2", "a", { subject: { ...all, pods: { podSelector: {} } } }), "spec.subject"],
  ["no podSelector", admin("v1alpha2", "a", { subject: { pods: {} } }), "spec.subject.pods.podSelector"],
  ["no tier", object("v1alpha2", "ClusterNetworkPolicy", "a", { priority: 1, subject: all }), "spec.tier"],
  ["an unknown tier", admin("v1alpha2", "a", { tier: "Middle" }), "spec.tier"],
  ["a misspelt peer list", admin("v1alpha1", "a", { ingress: [{ ...rule, form: [] }] }), "spec.ingress[0].form"],
  ["no peers", admin("v1alpha1", "a", { ingress: [{ action: "Deny" }] }), "spec.ingress[0].from"],
  ["an empty list of peers", admin("v1alpha2", "a", from("Deny")), "spec.ingress[0].from"],
  ["a peer of no field", admin("v1alpha2", "a", from("Deny", {})), "spec.ingress[0].from[0]"],
  [
    "networks in ingress",
    admin("v1alpha2", "a", from("Deny", { networks: ["0.0.0.0/0"] })),
    "spec.ingress[0].from[0].networks",
  ],
  [
    "v1alpha2's action",
    object("v1alpha1", "AdminNetworkPolicy", "a", { priority: 1, subject: all, ...from("Accept", all) }),
    "spec.ingress[0].action",
  ],
  [
    "v1alpha1's action",
    object("v1alpha2", "ClusterNetworkPolicy", "a", {
      tier: "Admin",
      priority: 1,
      subject: all,
      ...from("Allow", all),
    }),
    "spec.ingress[0].action",
  ],
  ["Pass in the last tier of v1alpha1", baseline("v1alpha1", from("Pass", all)), "spec.ingress[0].action"],
  [
    "domain names in the last tier of v1alpha1",
    baseline("v1alpha1", to("Deny", { domainNames: ["a.example"] })),
    "spec.egress[0].to[0].domainNames",
  ],
  ["a priority in the last tier of v1alpha1", baseline("v1alpha1", { priority: 1 }), "spec.priority"],
  [
    "another name than default",
    object("v1alpha1", "BaselineAdminNetworkPolicy", "other", { subject: all }),
    "metadata.name",
  ],
  [
    "a network that is no CIDR",
    admin("v1alpha1", "a", to("Deny", { networks: ["10.0.0.0/8", "10.0.0.0"] })),
    "spec.egress[0].to[0].networks[1]",
  ],
  [
    "no domain name",
    admin("v1alpha2", "a", to("Allow", { domainNames: ["*"] })),
    "spec.egress[0].to[0].domainNames[0]",
  ],
  ["101 rules", admin("v1alpha1", "a", { ingress: times(101, rule) }), "spec.ingress"],
  ["26 rules", admin("v1alpha2", "a", { ingress: times(26, rule) }), "spec.ingress"],
  ["101 peers", admin("v1alpha1", "a", from("Deny", ...times(101, all))), "spec.ingress[0].from"],
  ["26 peers", admin("v1alpha2", "a", from("Deny", ...times(26, all))), "spec.ingress[0].from"],
  [
    "26 networks",
    admin("v1alpha1", "a", to("Deny", { networks: times(26, "10.0.0.0/8") })),
    "spec.egress[0].to[0].networks",
  ],
  [
    "a rule's name of 101 letters",
    admin("v1alpha1", "a", { ingress: [{ ...rule, name: "n".repeat(101) }] }),
    "spec.ingress[0].name",
  ],
  [
    "a port of two kinds",
    admin("v1alpha1", "a", { ingress: [{ ...rule, ports: [{ namedPort: "a", portNumber: { port: 1 } }] }] }),
    "spec.ingress[0].ports[0]",
  ],
  [
    "port 0",
    admin("v1alpha1", "a", { ingress: [{ ...rule, ports: [{ portNumber: { port: 0 } }] }] }),
    "spec.ingress[0].ports[0].portNumber.port",
  ],
  [
    "a range that ends before it starts",
    admin("v1alpha1", "a", { ingress: [{ ...rule, ports: [{ portRange: { start: 2, end: 1 } }] }] }),
    "spec.ingress[0].ports[0].portRange",
  ],
  [
    "a range of one port in v1alpha2",
    admin("v1alpha2", "a", {
      ingress: [{ ...rule, protocols: [{ tcp: { destinationPort: { range: { start: 1, end: 1 } } } }] }],
    }),
    "spec.ingress[0].protocols[0].tcp.destinationPort.range",
  ],
  [
    "a protocol without a port",
    admin("v1alpha2", "a", { ingress: [{ ...rule, protocols: [{ tcp: {} }] }] }),
    "spec.ingress[0].protocols[0].tcp.destinationPort",
  ],
  [
    "two protocols in one",
    admin("v1alpha2", "a", {
      ingress: [{ ...rule, protocols: [{ tcp: { destinationPort: { number: 1 } }, destinationNamedPort: "a" }] }],
    }),
    "spec.ingress[0].protocols[0]",
  ],
  ["an empty list of ports", admin("v1alpha1", "a", { ingress: [{ ...rule, ports: [] }] }), "spec.ingress[0].ports"],
  [
    "a named port of a network",
    admin("v1alpha1", "a", {
      egress: [{ action: "Deny", to: [all, { networks: ["10.0.0.0/8"] }], ports: [{ namedPort: "a" }] }],
    }),
    "spec.egress[0].to[1]",
  ],
  [
    "a named port of a node",
    admin("v1alpha2", "a", {
      egress: [{ action: "Deny", to: [{ nodes: {} }], protocols: [{ destinationNamedPort: "a" }] }],
    }),
    "spec.egress[0].to[0]",
  ],
  ["a version that is not read", object("v1alpha2", "AdminNetworkPolicy", "a", { subject: all }), "apiVersion"],
])("A policy with %s is not read, and leaves the cluster undecided", (_, policy, field) => {
  const { simulator, ask } = createCluster({ pods, policies: [policy] });
  expect(simulator.problems.flatMap(({ problems }) => problems).map((problem) => problem.field)).toEqual([field]);
  expect(ask("shop/web", "shop/db", 80).verdict).toBe("undecided");
});

test("A rule is told by its place and its name", () => {
  const policy = admin("v1alpha2", "guard", { ingress: [rule, { ...rule, name: "no-one" }] });
  const { ask } = createCluster({
    pods,
    policies: [
      {
        ...policy,
        spec: {
          ...(policy["spec"] as Spec),
          ingress: [
            { action: "Deny", from: [named("shop")] },
            { ...rule, name: "no-one" },
          ],
        },
      },
    ],
  });
  expect(ask("ops/bastion", "shop/db", 80).ingress.because).toMatchObject([
    {
      policy: { kind: "ClusterNetworkPolicy", namespace: undefined, name: "guard" },
      rule: "ingress[1] (no-one)",
      action: "deny",
    },
  ]);
});
