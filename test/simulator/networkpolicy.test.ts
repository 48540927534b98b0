import { expect, test } from "vitest";
import { ask } from "../../src/simulator/ask.ts";
import { compile } from "../../src/simulator/compile.ts";
import { readManifests } from "../../src/simulator/manifests.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { resolveDestination, resolveSource } from "../../src/simulator/resolve.ts";
import { createCluster, type PodInWords } from "./cluster.ts";

/**
 * The rows of the table of what an evaluator of NetworkPolicy must do (facts: network-policy §1), each worked out by hand.
 * Three pods of two namespaces, unless a row says otherwise.
 */
const web = { labels: { app: "web" }, addresses: ["10.0.0.1"], node: "n1" };
const db = {
  labels: { app: "db", tier: "back" },
  addresses: ["10.0.0.2"],
  node: "n2",
  ports: [{ name: "sql", protocol: "TCP" as const, port: 5432 }],
};
const ops = { labels: { app: "web" }, addresses: ["10.0.1.1"], node: "n1" };
const pods: Readonly<Record<string, PodInWords>> = { "shop/web": web, "shop/db": db, "ops/web": ops };
const namespaces = { ops: { team: "ops" } };
const outside = "203.0.113.7";

/** Of namespace shop. */
function policy(spec: unknown, name = "p"): WireObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "shop" }, spec };
}

function clusterOf(spec: unknown, more: Partial<Parameters<typeof createCluster>[0]> = {}) {
  return createCluster({ pods, namespaces, policies: [policy(spec)], ...more });
}

/** `"shop/web > shop/db:5432"`, port 80 where none is given; a bang says that it is denied. */
function expectAll({ ask }: ReturnType<typeof createCluster>, ways: readonly string[]): void {
  const answers = ways.map((way) => {
    const [from = "", to = "", port = "80"] = way.replace(/^!/, "").split(/ > |(?<=\w) @/);
    const { verdict } = ask(from, to, port);
    return `${verdict === "denied" ? "!" : verdict === "allowed" ? "" : "?"}${way.replace(/^!/, "")}`;
  });
  expect(answers).toEqual(ways);
}

/** All pods of shop, ingress from nobody but what the rules say. */
const ingress = (rule: unknown) => ({ podSelector: {}, ingress: [rule] });
const egress = (rule: unknown) => ({ podSelector: {}, policyTypes: ["Egress"], egress: [rule] });

test.each<[string, unknown, readonly string[]]>([
  [
    // {} selects web and db of shop; both are isolated for ingress, since policyTypes is absent. ops/web is in another namespace.
    "an empty podSelector selects all pods of the namespace and no others",
    { podSelector: {} },
    ["!ops/web > shop/web", "!shop/web > shop/db", "shop/web > ops/web"],
  ],
  ["an absent podSelector is an empty one", {}, ["!ops/web > shop/web", "!shop/web > shop/db", "shop/web > ops/web"]],
  [
    // Isolation only for Ingress and only of db: web's ingress and db's egress stay open.
    "a pod is isolated only where a policy selects it, and only in that direction",
    { podSelector: { matchLabels: { app: "db" } } },
    ["!shop/web > shop/db", "shop/db > shop/web", "ops/web > shop/web"],
  ],
  [
    // policyTypes absent, no egress rules: [Ingress].
    "absent policyTypes without egress rules are Ingress",
    { podSelector: {}, ingress: [] },
    ["!ops/web > shop/web", "shop/web > ops/web"],
  ],
  [
    "empty policyTypes are as absent ones",
    { podSelector: {}, policyTypes: [] },
    ["!ops/web > shop/web", "shop/web > ops/web"],
  ],
  [
    // One egress rule, to nothing that exists: Egress is added.
    "absent policyTypes with egress rules are Ingress and Egress",
    { podSelector: {}, egress: [{ to: [{ podSelector: { matchLabels: { app: "db" } } }] }] },
    ["!ops/web > shop/web", "!shop/web > ops/web", "!shop/web > shop/db"],
  ],
  [
    // len(egress) is 0, so Egress is not added.
    "an empty egress list alone gives Ingress only",
    { podSelector: {}, egress: [] },
    ["!ops/web > shop/web", "shop/web > ops/web"],
  ],
  [
    // The ingress rule would allow all; but the policy is of Egress only, so ingress is not isolated, and egress has no rules.
    "rules of a direction that policyTypes leaves out are ignored",
    { podSelector: {}, policyTypes: ["Egress"], ingress: [{ from: [{ podSelector: {} }] }] },
    ["ops/web > shop/web", "!shop/web > ops/web"],
  ],
  [
    "egress rules are ignored where policyTypes is Ingress, and open nothing",
    { podSelector: {}, policyTypes: ["Ingress"], egress: [{ to: [{ podSelector: {} }] }] },
    ["!ops/web > shop/web", "shop/web > ops/web", `shop/web > ${outside}`],
  ],
  ...[undefined, null, []].map((rules): [string, unknown, readonly string[]] => [
    `ingress that is ${JSON.stringify(rules) ?? "absent"} allows nothing`,
    { podSelector: {}, policyTypes: ["Ingress"], ingress: rules },
    ["!shop/db > shop/web", "!ops/web > shop/web", `!${outside} > shop/web`],
  ]),
  [
    "an empty rule allows every source, port and protocol",
    ingress({}),
    ["ops/web > shop/web", `${outside} > shop/web @1/SCTP`, `${outside} > shop/web @65535/UDP`],
  ],
  [
    "absent peers are all peers, externals too, on the rule's ports only",
    ingress({ ports: [{ port: 80 }] }),
    ["ops/web > shop/web", `${outside} > shop/web`, `!${outside} > shop/web @81`],
  ],
  [
    "an empty list of peers is all peers",
    egress({ to: [], ports: [{ port: 80 }] }),
    ["shop/web > ops/web", `shop/web > ${outside}`, `!shop/web > ${outside} @81`],
  ],
  [
    "an empty list of ports is all ports and protocols",
    ingress({ from: [{ podSelector: {} }], ports: [] }),
    ["shop/db > shop/web @7/UDP", "!ops/web > shop/web"],
  ],
  [
    // Protocol TCP by default: TCP of any port, but no UDP.
    "a port entry without a port is every port of its protocol, TCP by default",
    ingress({ ports: [{}] }),
    ["ops/web > shop/web @9999", "!ops/web > shop/web @9999/UDP"],
  ],
  [
    "a port entry with only a protocol is every port of that protocol",
    ingress({ ports: [{ protocol: "UDP" }] }),
    ["!ops/web > shop/web @53", "ops/web > shop/web @53/UDP"],
  ],
  [
    // shop/db has app db; ops/web has app web but is of another namespace.
    "a podSelector alone means pods of the policy's own namespace",
    ingress({ from: [{ podSelector: { matchLabels: { app: "web" } } }] }),
    ["shop/web > shop/db", "!ops/web > shop/db", `!${outside} > shop/db`],
  ],
  [
    "an empty podSelector as a peer is all pods of the namespace",
    ingress({ from: [{ podSelector: {} }] }),
    ["shop/db > shop/web", "!ops/web > shop/web", `!${outside} > shop/web`],
  ],
  [
    "a namespaceSelector alone means all pods of the namespaces",
    ingress({ from: [{ namespaceSelector: { matchLabels: { team: "ops" } } }] }),
    ["ops/web > shop/web", "!shop/db > shop/web"],
  ],
  [
    "an empty namespaceSelector is every pod, and never an address outside",
    ingress({ from: [{ namespaceSelector: {} }] }),
    ["ops/web > shop/web", "shop/db > shop/web", `!${outside} > shop/web`],
  ],
  [
    // ops/web: team ops and app web. Nothing else has both: shop/web lacks team.
    "both selectors in one entry must hold",
    ingress({
      from: [{ namespaceSelector: { matchLabels: { team: "ops" } }, podSelector: { matchLabels: { app: "web" } } }],
    }),
    ["ops/web > shop/db", "!shop/web > shop/db"],
  ],
  [
    "both selectors in one entry exclude a pod that fits only one",
    ingress({
      from: [{ namespaceSelector: { matchLabels: { team: "ops" } }, podSelector: { matchLabels: { app: "db" } } }],
    }),
    ["!ops/web > shop/web", "!shop/db > shop/web"],
  ],
  [
    // The same two selectors as two entries: any pod of ops, or app db of shop.
    "selectors in two entries are alternatives",
    ingress({
      from: [{ namespaceSelector: { matchLabels: { team: "ops" } } }, { podSelector: { matchLabels: { app: "db" } } }],
    }),
    ["ops/web > shop/web", "shop/db > shop/web", "!shop/web > shop/db"],
  ],
  [
    // 203.0.113.0-7 without .4-.7: .7 is in the hole, .3 is not.
    "an ipBlock is its range without the exceptions",
    ingress({ from: [{ ipBlock: { cidr: "203.0.113.0/29", except: ["203.0.113.4/30"] } }] }),
    ["203.0.113.3 > shop/web", "!203.0.113.7 > shop/web", "!203.0.113.8 > shop/web"],
  ],
  [
    "an exception of one ipBlock is no exception to another entry",
    ingress({
      from: [
        { ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.7/32"] } },
        { ipBlock: { cidr: "203.0.113.7/32" } },
      ],
    }),
    ["203.0.113.7 > shop/web"],
  ],
  [
    "0.0.0.0/0 says nothing of IPv6",
    ingress({ from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }),
    [`${outside} > shop/web`, "!2001:db8::1 > shop/web"],
  ],
  [
    // 2001:db8::/126 is ::0-::3; the hole ::2-::3.
    "an ipBlock of IPv6 is read alike",
    egress({ to: [{ ipBlock: { cidr: "2001:db8::/126", except: ["2001:db8::2/127"] } }] }),
    ["shop/web > 2001:db8::1", "!shop/web > 2001:db8:0:0::3", "!shop/web > 2001:db8::4"],
  ],
  [
    // By number 5432 is named sql only on db; web has no port of that name.
    "a port's name is looked up on the destination",
    ingress({ ports: [{ port: "sql" }] }),
    ["ops/web > shop/db @5432", "!ops/web > shop/db @5433", "!ops/web > shop/web @5432"],
  ],
  [
    "a port's name is of one protocol, TCP unless the rule says otherwise",
    ingress({ ports: [{ port: "sql", protocol: "UDP" }] }),
    ["!ops/web > shop/db @5432", "!ops/web > shop/db @5432/UDP"],
  ],
  [
    // Egress to db by name works, as db has it; to an external there is nothing to look up.
    "a port's name in egress is the other pod's, and nothing outside has one",
    egress({ ports: [{ port: "sql" }] }),
    ["shop/web > shop/db @5432", `!shop/web > ${outside} @5432`],
  ],
  [
    "endPort is inclusive",
    ingress({ ports: [{ port: 1000, endPort: 1002 }] }),
    ["!ops/web > shop/db @999", "ops/web > shop/db @1000", "ops/web > shop/db @1002", "!ops/web > shop/db @1003"],
  ],
  [
    "SCTP is a protocol like the others",
    ingress({ ports: [{ protocol: "SCTP", port: 36412 }] }),
    ["ops/web > shop/db @36412/SCTP", "!ops/web > shop/db @36412"],
  ],
  [
    "In asks for the key and one of the values",
    ingress({
      from: [{ podSelector: { matchExpressions: [{ key: "tier", operator: "In", values: ["back", "x"] }] } }],
    }),
    ["shop/db > shop/web", "!shop/web > shop/db"],
  ],
  [
    // web has no label tier, so NotIn selects it; db has tier back.
    "NotIn matches where the key is absent",
    ingress({ from: [{ podSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["back"] }] } }] }),
    ["shop/web > shop/db", "!shop/db > shop/web"],
  ],
  [
    "Exists asks for the key",
    ingress({ from: [{ podSelector: { matchExpressions: [{ key: "tier", operator: "Exists" }] } }] }),
    ["shop/db > shop/web", "!shop/web > shop/db"],
  ],
  [
    "DoesNotExist matches where the key is absent",
    ingress({ from: [{ podSelector: { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] } }] }),
    ["shop/web > shop/db", "!shop/db > shop/web"],
  ],
  [
    // db has the label and fails the expression, web the other way round: neither is selected.
    "matchLabels and every matchExpression must hold",
    ingress({
      from: [
        { podSelector: { matchLabels: { app: "db" }, matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] } },
      ],
    }),
    ["!shop/web > shop/db", "!shop/db > shop/web"],
  ],
  [
    "kubernetes.io/metadata.name targets a namespace by its name",
    ingress({ from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ops" } } }] }),
    ["ops/web > shop/web", "!shop/db > shop/web"],
  ],
  [
    "k8s.io/metadata.name is no label of a namespace",
    ingress({ from: [{ namespaceSelector: { matchLabels: { "k8s.io/metadata.name": "ops" } } }] }),
    ["!ops/web > shop/web"],
  ],
])("NetworkPolicy: %s", (_, spec, ways) => {
  expectAll(clusterOf(spec), ways);
});

test("The allows of all policies that select a pod add up", () => {
  // db: isolated by both; web may by the first, ops by the second, nothing else by either.
  const policies = [
    policy(ingress({ from: [{ podSelector: { matchLabels: { app: "web" } } }] }), "one"),
    policy(ingress({ from: [{ namespaceSelector: { matchLabels: { team: "ops" } } }] }), "two"),
  ];
  expectAll(createCluster({ pods, namespaces, policies }), [
    "shop/web > shop/db",
    "ops/web > shop/db",
    `!${outside} > shop/db`,
  ]);
});

test("The source's egress and the destination's ingress must both allow", () => {
  // web may egress to db only; db takes ingress from ops only: no way from web to db, though each end allows something.
  const policies = [
    policy({
      podSelector: { matchLabels: { app: "web" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ podSelector: {} }] }],
    }),
    policy({
      podSelector: { matchLabels: { app: "db" } },
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: "ops" } } }] }],
    }),
  ];
  const { ask } = createCluster({ pods, namespaces, policies });
  const { verdict, egress: out, ingress: into } = ask("shop/web", "shop/db", 80);
  expect([verdict, out.verdict, into.verdict]).toEqual(["denied", "allowed", "denied"]);
});

test("Whether an ipBlock matches the address of a pod is a switch, and unknown where both readings differ", () => {
  // ops/web is 10.0.1.1: in the block. shop/web is 10.0.0.1: outside of it in either reading.
  const spec = ingress({ from: [{ ipBlock: { cidr: "10.0.1.0/24" } }] });
  const ask = (ipBlockMatchesPods: boolean | "unknown", from: string) =>
    clusterOf(spec, { settings: { ipBlockMatchesPods } }).ask(from, "shop/db", 80).verdict;
  expect([true, false, "unknown" as const].map((each) => ask(each, "ops/web"))).toEqual([
    "allowed",
    "denied",
    "undecided",
  ]);
  expect([true, false, "unknown" as const].map((each) => ask(each, "shop/web"))).toEqual([
    "denied",
    "denied",
    "denied",
  ]);
});

test("A dual-stack pod of which a range holds one address is undecided, unless the other end talks only one family", () => {
  const spec = ingress({ from: [{ ipBlock: { cidr: "10.0.1.0/24" } }] });
  const dual = { ...ops, addresses: ["10.0.1.1", "fd00::1"] };
  const ask = (addresses: readonly string[]) =>
    clusterOf(spec, {
      pods: { "ops/web": dual, "shop/db": { ...db, addresses } },
      settings: { ipBlockMatchesPods: true },
    }).ask("ops/web", "shop/db", 80).verdict;
  expect(ask(["10.0.0.2", "fd00::2"])).toBe("undecided");
  expect(ask(["10.0.0.2"])).toBe("allowed");
  expect(ask(["fd00::2"])).toBe("denied");
});

test("A pod of the host network is its node: no selector finds it, an ipBlock does, and no policy acts on it", () => {
  const agent = { labels: { app: "web" }, addresses: ["192.168.0.9"], hostNetwork: true, node: "n9" };
  const more = { pods: { ...pods, "shop/agent": agent } };
  expectAll(clusterOf(ingress({ from: [{ podSelector: {} }, { namespaceSelector: {} }] }), more), [
    "!shop/agent > shop/db",
    "ops/web > shop/agent",
  ]);
  expectAll(clusterOf(ingress({ from: [{ ipBlock: { cidr: "192.168.0.0/24" } }] }), more), [
    "shop/agent > shop/db",
    "!ops/web > shop/db",
  ]);
  // Isolated for egress by {} if it were a pod.
  expectAll(clusterOf({ podSelector: {}, policyTypes: ["Egress"] }, more), [
    `shop/agent > ${outside}`,
    `!shop/web > ${outside}`,
  ]);
});

test("A pod of the host network has no named ports to policies, as a node has none", () => {
  const agent = { addresses: ["192.168.0.9"], hostNetwork: true, node: "n9", ports: db.ports };
  const cluster = clusterOf(egress({ ports: [{ port: "sql" }] }), { pods: { ...pods, "kube-system/agent": agent } });
  expectAll(cluster, ["shop/web > shop/db @5432", "!shop/web > kube-system/agent @5432"]);
});

test("Traffic to and from a pod's own node is always allowed, and that of other nodes is not", () => {
  const host = { addresses: ["192.168.0.1"], hostNetwork: true };
  const more = {
    pods: { ...pods, "kube-system/one": { ...host, node: "n1" }, "kube-system/two": { ...host, node: "n2" } },
  };
  expectAll(clusterOf({ podSelector: {}, policyTypes: ["Ingress", "Egress"] }, more), [
    "kube-system/one > shop/web",
    "shop/web > kube-system/one",
    "!kube-system/two > shop/web",
    "!shop/web > kube-system/two",
  ]);
});

test("Where the node of a pod is not known, nothing is taken for its own node", () => {
  const host = { addresses: ["192.168.0.1"], hostNetwork: true };
  const more = { pods: { "shop/web": { ...web, node: undefined }, "kube-system/one": host } };
  expectAll(clusterOf({ podSelector: {} }, more), ["!kube-system/one > shop/web"]);
});

test("A pod always reaches itself, and not its like", () => {
  const more = { pods: { ...pods, "shop/web2": web } };
  const closed = clusterOf({ podSelector: {}, policyTypes: ["Ingress", "Egress"] }, more);
  expectAll(closed, ["shop/web > shop/web", "!shop/web > shop/web2"]);
});

test("Policies act on the pods behind a Service at their own port, never on the Service's address or port", () => {
  // The Service listens on 10.96.0.9:80 and leads to db:5432; its address and its port are in no rule's sight.
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "store", namespace: "shop" },
    spec: { clusterIP: "10.96.0.9", selector: { app: "db" }, ports: [{ port: 80, targetPort: 5432 }] },
  };
  const pod = (name: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels: { app: name } },
    spec: {},
  });
  const verdict = (rule: unknown) => {
    const objects = [service, pod("web"), pod("db"), policy(egress(rule))];
    const { snapshot } = readManifests([
      { path: "all.json", text: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }) },
    ]);
    const simulator = compile(snapshot, { engine: undefined, ipBlockMatchesPods: false });
    const [from, to] = [
      resolveSource(simulator, "shop/web"),
      resolveDestination(simulator, "shop/store", { protocol: "TCP", port: 80 }),
    ];
    if ("problem" in from || "problem" in to) throw new Error("the case names what is not there");
    return ask(simulator, from, to, "TCP").verdict;
  };
  expect(verdict({ ports: [{ port: 5432 }] })).toBe("allowed");
  expect(verdict({ ports: [{ port: 80 }] })).toBe("denied");
  expect(verdict({ to: [{ ipBlock: { cidr: "10.96.0.9/32" } }] })).toBe("denied");
});

test.each<[string, unknown, string]>([
  ["a peer of no field", ingress({ from: [{}] }), "spec.ingress[0].from[0]"],
  [
    "an ipBlock beside a selector",
    ingress({ from: [{ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] }),
    "spec.ingress[0].from[0].ipBlock",
  ],
  [
    "an exception outside of its range",
    ingress({ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] }),
    "spec.ingress[0].from[0].ipBlock.except[0]",
  ],
  [
    "an exception as large as its range",
    ingress({ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/8"] } }] }),
    "spec.ingress[0].from[0].ipBlock.except[0]",
  ],
  [
    "an address that is no range",
    ingress({ from: [{ ipBlock: { cidr: "10.0.0.1" } }] }),
    "spec.ingress[0].from[0].ipBlock.cidr",
  ],
  ["an endPort below the port", ingress({ ports: [{ port: 5, endPort: 4 }] }), "spec.ingress[0].ports[0].endPort"],
  ["an endPort without a port", ingress({ ports: [{ endPort: 4 }] }), "spec.ingress[0].ports[0].endPort"],
  ["an endPort beside a name", ingress({ ports: [{ port: "sql", endPort: 4 }] }), "spec.ingress[0].ports[0].endPort"],
  ["port 0", ingress({ ports: [{ port: 0 }] }), "spec.ingress[0].ports[0].port"],
  ["a protocol that is none", ingress({ ports: [{ protocol: "ICMP" }] }), "spec.ingress[0].ports[0].protocol"],
  ["a misspelt list of peers", ingress({ form: [{ podSelector: {} }] }), "spec.ingress[0].form"],
  ["peers of the other direction", egress({ from: [{ podSelector: {} }] }), "spec.egress[0].from"],
  ["a policy type in lower case", { podSelector: {}, policyTypes: ["ingress"] }, "spec.policyTypes[0]"],
])("A NetworkPolicy with %s is not read, and leaves its namespace undecided", (_, spec, field) => {
  const { simulator, ask } = clusterOf(spec);
  expect(simulator.problems).toMatchObject([{ problems: [{ field }] }]);
  expect(ask("ops/web", "shop/db", 80).verdict).toBe("undecided");
});

test("A NetworkPolicy of a version that is not read is a problem, and what it may select undecided", () => {
  const { simulator, ask: asked } = clusterOf(
    {},
    { policies: [{ ...policy({}), apiVersion: "networking.k8s.io/v1beta1" }] },
  );
  expect(simulator.problems.map(({ problems }) => problems)).toEqual([
    [{ field: "apiVersion", message: "is not read here for the kind NetworkPolicy" }],
  ]);
  expect(asked("ops/web", "shop/db", 80).verdict).toBe("undecided");
});

test("A selector with a key that JavaScript takes for its own is told, and not read without it", () => {
  const text = `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {matchLabels: {"__proto__": a}}}}`;
  const { snapshot } = readManifests([{ path: "a.yaml", text }]);
  const { problems } = compile(snapshot, { engine: undefined, ipBlockMatchesPods: false });
  expect(problems[0]?.problems).toMatchObject([{ field: "spec.podSelector.matchLabels.__proto__" }]);
});
