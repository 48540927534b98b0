import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { change } from "../../src/simulator/change.ts";
import type { Simulator } from "../../src/simulator/compile.ts";
import { decide, type Endpoint } from "../../src/simulator/decide.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import type { Settings } from "../../src/simulator/snapshot.ts";
import { createCluster, type PodInWords } from "./cluster.ts";

/*
 * Cases worked out by hand from Calico's reference and documentation (docs.tigera.io: "GlobalNetworkPolicy", "NetworkPolicy",
 * "Tier", "EntityRule", …) and, where they are silent, from the source of Calico that is named.
 */

const pods: Readonly<Record<string, PodInWords>> = {
  "shop/web": { labels: { app: "web", tier: "front" }, addresses: ["10.0.0.1"], serviceAccount: "web" },
  "shop/db": {
    labels: { app: "db" },
    addresses: ["10.0.0.2"],
    ports: [
      { name: "sql", protocol: "TCP", port: 5432 },
      { name: "dns", protocol: "UDP", port: 53 },
    ],
  },
  "ops/web": { labels: { app: "web" }, addresses: ["10.0.1.1"], serviceAccount: "web" },
  "ops/probe": { labels: { app: "probe" }, addresses: ["10.0.1.2"] },
};

const namespaces = { shop: { team: "a" }, ops: { team: "b" } };

function calico(kind: string, name: string, spec: string, apiVersion = "projectcalico.org/v3"): WireObject {
  const [namespace, own] = name.includes("/") ? name.split("/") : [undefined, name];
  const metadata = { name: own ?? "", ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion, kind, metadata, spec: parse(spec) as unknown };
}

const tier = (name: string, spec: string) => calico("Tier", name, spec);
const global = (name: string, spec: string) => calico("GlobalNetworkPolicy", name, spec);
const local = (name: string, spec: string) => calico("NetworkPolicy", name, spec);

/** A set of nets with the label `zone`. */
function netSet(name: string, zone: string, nets: readonly string[]): WireObject {
  const [namespace, own] = name.includes("/") ? name.split("/") : [undefined, name];
  const metadata = { name: own ?? "", labels: { zone }, ...(namespace === undefined ? {} : { namespace }) };
  const kind = namespace === undefined ? "GlobalNetworkSet" : "NetworkSet";
  return { apiVersion: "projectcalico.org/v3", kind, metadata, spec: { nets } };
}

function kubernetes(kind: string, name: string, spec: string): WireObject {
  return calico(kind, name, spec, "networking.k8s.io/v1");
}

function cluster(policies: readonly WireObject[], settings: Partial<Settings> = {}) {
  return createCluster({ pods, namespaces, policies, settings });
}

/** `"shop/web shop/db 5432"` → allowed, denied, undecided, for each. */
function verdicts(policies: readonly WireObject[], questions: readonly string[]): readonly string[] {
  const { simulator, ask } = cluster(policies);
  expect(simulator.problems).toEqual([]);
  return questions.map((question) => {
    const [from = "", to = "", port = ""] = question.split(" ");
    return ask(from, to, port).verdict;
  });
}

function problemsIn(...policies: readonly WireObject[]): readonly string[] {
  const { problems } = cluster(policies).simulator;
  return problems.flatMap((each) => each.problems.map(({ field, message }) => `${field} ${message}`));
}

const dbFromWeb = `{ selector: app == 'db', ingress: [{ action: Allow, source: { selector: app == 'web' } }] }`;

describe("Which pods a policy selects", () => {
  test("A GlobalNetworkPolicy selects pods of all namespaces (reference, GlobalNetworkPolicy)", () => {
    const deny = global("no-probes", `{ selector: app == 'web', ingress: [{ action: Deny }] }`);
    const asked = ["ops/probe shop/web 80", "ops/probe ops/web 80", "ops/probe shop/db 80"];
    expect(verdicts([deny], asked)).toEqual(["denied", "denied", "allowed"]);
  });

  test("A NetworkPolicy selects in its own namespace (reference, Selector scopes)", () => {
    const deny = local("shop/no-probes", `{ selector: app == 'web', ingress: [{ action: Deny }] }`);
    expect(verdicts([deny], ["ops/probe shop/web 80", "ops/probe ops/web 80"])).toEqual(["denied", "allowed"]);
  });

  test("An absent selector, an empty one and all() select everything in scope (reference, spec.selector: all())", () => {
    for (const selector of ["", `selector: "",`, "selector: all(),"]) {
      const deny = local("shop/deny", `{ ${selector} ingress: [] }`);
      expect(verdicts([deny], ["ops/web shop/web 80", "ops/web shop/db 80", "shop/web ops/web 80"])).toEqual([
        "denied",
        "denied",
        "allowed",
      ]);
    }
  });

  test("A spec that is absent selects everything and denies ingress", () => {
    const deny: WireObject = { ...local("shop/deny", ""), spec: undefined };
    expect(verdicts([deny], ["ops/web shop/web 80", "shop/web ops/web 80"])).toEqual(["denied", "allowed"]);
  });

  test("namespaceSelector selects by the labels of namespaces, or by projectcalico.org/name (reference, Calico labels)", () => {
    for (const selector of ["team == 'b'", "projectcalico.org/name == 'ops'", "kubernetes.io/metadata.name == 'ops'"]) {
      const deny = global("deny", `{ namespaceSelector: "${selector}", ingress: [{ action: Deny }] }`);
      expect(verdicts([deny], ["shop/web ops/web 80", "ops/web shop/web 80"])).toEqual(["denied", "allowed"]);
    }
  });

  test("selector and namespaceSelector are both asked", () => {
    const deny = global("deny", `{ selector: app == 'web', namespaceSelector: team == 'b', ingress: [] }`);
    const asked = ["shop/web ops/web 80", "shop/web ops/probe 80", "ops/web shop/web 80"];
    expect(verdicts([deny], asked)).toEqual(["denied", "allowed", "allowed"]);
  });

  test("projectcalico.org/namespace and …/orchestrator are labels of every pod (documentation, Calico automatic labels)", () => {
    const deny = global(
      "deny",
      `{ selector: "projectcalico.org/namespace == 'ops' && projectcalico.org/orchestrator == 'k8s'", ingress: [] }`,
    );
    expect(verdicts([deny], ["shop/web ops/web 80", "ops/web shop/web 80"])).toEqual(["denied", "allowed"]);
  });

  test("A pod cannot pretend to be of another namespace by that label, but inherits less than its own (felix/labelindex)", () => {
    const pretender = { labels: { "projectcalico.org/namespace": "ops", "pcns.team": "b" } };
    const policies = [
      global(
        "a.by-label",
        `{ selector: "projectcalico.org/namespace == 'ops'", order: 1, egress: [{ action: Deny }] }`,
      ),
      global("b.by-namespace", `{ namespaceSelector: "team == 'b'", order: 2, egress: [{ action: Deny }] }`),
    ];
    const { ask } = createCluster({ pods: { ...pods, "shop/x": pretender }, namespaces, policies });
    expect(ask("shop/x", "shop/db", 80).egress.because).toMatchObject([{ policy: { name: "b.by-namespace" } }]);
  });

  test("serviceAccountSelector by name is known; by other labels it is not, and the answer is undecided", () => {
    const byName = global(
      "deny",
      `{ serviceAccountSelector: "projectcalico.org/name == 'web'", egress: [{ action: Deny }] }`,
    );
    expect(verdicts([byName], ["shop/web shop/db 80", "shop/db shop/web 80"])).toEqual(["denied", "allowed"]);
    const byLabel = global("deny", `{ serviceAccountSelector: "role == 'x'", egress: [{ action: Deny }] }`);
    expect(verdicts([byLabel], ["shop/web shop/db 80"])).toEqual(["undecided"]);
  });
});

describe("Directions", () => {
  test("types default by which rules there are (reference, GlobalNetworkPolicy, note to types)", () => {
    const asked = ["ops/probe shop/db 80", "shop/db ops/probe 80"];
    const allow = "[{ action: Allow, protocol: TCP, destination: { ports: [1] } }]";
    const denies = (rules: string) => verdicts([local("shop/p", `{ ${rules} }`)], asked);
    expect(denies("selector: app == 'db'")).toEqual(["denied", "allowed"]);
    expect(denies(`ingress: ${allow}`)).toEqual(["denied", "allowed"]);
    expect(denies(`egress: ${allow}`)).toEqual(["allowed", "denied"]);
    expect(denies(`ingress: ${allow}, egress: ${allow}`)).toEqual(["denied", "denied"]);
    expect(denies(`types: [], egress: ${allow}`)).toEqual(["allowed", "denied"]);
  });

  test("Rules of a direction that is not in types are ignored", () => {
    const policy = local("shop/p", `{ types: [Egress], ingress: [{ action: Deny }], egress: [{ action: Allow }] }`);
    expect(verdicts([policy], ["ops/probe shop/db 80", "shop/db ops/probe 80"])).toEqual(["allowed", "allowed"]);
  });

  test("What is stored as crd.projectcalico.org/v1 without types is both (felix/calc/policy_sorter.go)", () => {
    const stored = calico("NetworkPolicy", "shop/default.p", `{ selector: all() }`, "crd.projectcalico.org/v1");
    expect(verdicts([stored], ["ops/probe shop/db 80", "shop/db ops/probe 80"])).toEqual(["denied", "denied"]);
  });
});

describe("Order of policies", () => {
  const allow = (name: string, order: string) => global(name, `{ ${order} ingress: [{ action: Allow }] }`);
  const deny = (name: string, order: string) => global(name, `{ ${order} ingress: [{ action: Deny }] }`);

  test("The lowest order is first, also below zero and with a fraction (reference, spec.order)", () => {
    expect(verdicts([allow("a", "order: 10,"), deny("b", "order: 9.5,")], ["ops/web shop/db 80"])).toEqual(["denied"]);
    expect(verdicts([allow("a", "order: -1,"), deny("b", "order: 0,")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
  });

  test("Without an order a policy is last (api, spec.order)", () => {
    expect(verdicts([deny("a", ""), allow("b", "order: 1000000,")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
  });

  test("Policies of equal order stand by their names (felix/calc/policy_sorter.go, PolKVLess)", () => {
    expect(verdicts([deny("b", "order: 5,"), allow("a", "order: 5,")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
    expect(verdicts([allow("b", ""), deny("a", "")], ["ops/web shop/db 80"])).toEqual(["denied"]);
  });

  test("A name that is stored with its tier, default, stands without it (libcalico-go, determinePolicyName)", () => {
    const stored = calico(
      "GlobalNetworkPolicy",
      "default.z",
      `{ types: [Ingress], ingress: [{ action: Deny }] }`,
      "crd.projectcalico.org/v1",
    );
    expect(verdicts([stored, allow("m", "")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
  });

  test("In a policy the first rule that matches decides, and Log decides nothing (documentation, Policy action rules)", () => {
    const rules = `ingress: [{ action: Log }, { action: Deny, source: { selector: app == 'probe' } }, { action: Allow }]`;
    const { ask } = cluster([global("p", `{ selector: app == 'db', ${rules} }`)]);
    expect(ask("ops/probe", "shop/db", 80).verdict).toBe("denied");
    const { verdict, ingress } = ask("ops/web", "shop/db", 80);
    expect(verdict).toBe("allowed");
    expect(ingress.because).toMatchObject([{ kind: "rule", rule: "ingress[2]" }]);
    expect(ingress.notEvaluated.map(({ what }) => what)).toEqual(["ingress[0]: logging"]);
  });

  test("A policy that decides nothing leaves it to the next of its tier, and the tier denies at its end", () => {
    const first = local("shop/a", `{ order: 1, ingress: [{ action: Allow, source: { selector: app == 'db' } }] }`);
    const second = local(
      "shop/b",
      `{ order: 2, selector: app == 'db', ingress: [{ action: Allow, source: { selector: app == 'web' } }] }`,
    );
    const asked = ["shop/db shop/web 80", "shop/web shop/db 80", "ops/web shop/db 80"];
    expect(verdicts([first, second], asked)).toEqual(["allowed", "allowed", "denied"]);
  });
});

describe("Tiers", () => {
  const denyIn = (name: string) => global(`${name}.deny`, `{ tier: ${name}, ingress: [{ action: Deny }] }`);
  const allowIn = (name: string) => global(`${name}.allow`, `{ tier: ${name}, ingress: [{ action: Allow }] }`);
  const asked = ["ops/web shop/db 80"];

  test("Tiers are asked by their order, those without one last (reference, Tier)", () => {
    const tiers = [tier("one", "{ order: 200 }"), tier("two", "{ order: 100.5 }"), tier("three", "{}")];
    expect(verdicts([...tiers, denyIn("one"), allowIn("two")], asked)).toEqual(["allowed"]);
    expect(verdicts([...tiers, denyIn("two"), allowIn("one")], asked)).toEqual(["denied"]);
    expect(verdicts([...tiers, denyIn("three"), allowIn("kube-baseline")], asked)).toEqual(["allowed"]);
  });

  test("Tiers of equal order are asked by their names (api, tier.go)", () => {
    const tiers = [tier("b", "{ order: 5 }"), tier("a", "{ order: 5 }")];
    expect(verdicts([...tiers, denyIn("b"), allowIn("a")], asked)).toEqual(["allowed"]);
    expect(verdicts([...tiers, allowIn("b"), denyIn("a")], asked)).toEqual(["denied"]);
  });

  test("A tier with a policy that selects the pod denies at its end what none decides (reference, Tier)", () => {
    const policy = global("early.db", `{ tier: early, ${dbFromWeb.slice(1)}`);
    const all = ["shop/web shop/db 80", "ops/probe shop/db 80", "ops/probe shop/web 80"];
    expect(verdicts([tier("early", "{ order: 1 }"), policy], all)).toEqual(["allowed", "denied", "allowed"]);
  });

  test("With defaultAction Pass it goes on with the next tier (reference, Tier)", () => {
    const policy = global("early.db", `{ tier: early, ${dbFromWeb.slice(1)}`);
    const early = tier("early", "{ order: 1, defaultAction: Pass }");
    expect(verdicts([early, policy], ["ops/probe shop/db 80"])).toEqual(["allowed"]);
    expect(verdicts([early, policy, denyIn("default")], ["ops/probe shop/db 80", "ops/web shop/db 80"])).toEqual([
      "denied",
      "allowed",
    ]);
  });

  test("A tier speaks of a pod only in the directions in which one of its policies does (felix/calc/event_sequencer.go)", () => {
    const policy = global("early.db", `{ tier: early, selector: app == 'db', ingress: [{ action: Allow }] }`);
    expect(verdicts([tier("early", "{ order: 1 }"), policy], ["shop/db ops/web 80"])).toEqual(["allowed"]);
  });

  test("Pass skips the rest of its tier, and in the last one ends in the namespace's profile, which allows (reference, Tier)", () => {
    const pass = global("early.a", `{ tier: early, order: 1, ingress: [{ action: Pass }] }`);
    const early = tier("early", "{ order: 1 }");
    expect(verdicts([early, pass, denyIn("early")], asked)).toEqual(["allowed"]);
    expect(verdicts([early, pass, denyIn("early"), denyIn("default")], asked)).toEqual(["denied"]);
    expect(verdicts([global("p", "{ ingress: [{ action: Pass }] }")], asked)).toEqual(["allowed"]);
  });

  test("default, kube-admin and kube-baseline are there without an object (documentation, Get started with policy tiers)", () => {
    expect(verdicts([denyIn("kube-admin"), allowIn("default")], asked)).toEqual(["denied"]);
    expect(verdicts([denyIn("kube-baseline"), allowIn("default")], asked)).toEqual(["allowed"]);
    const inBaseline = global("kube-baseline.db", `{ tier: kube-baseline, ${dbFromWeb.slice(1)}`);
    expect(verdicts([inBaseline], ["ops/probe shop/db 80"])).toEqual(["allowed"]);
    const between = tier("between", "{ order: 2000 }");
    expect(verdicts([between, denyIn("between"), allowIn("kube-admin")], asked)).toEqual(["allowed"]);
  });

  test("The documentation's example of a devops tier passes what it does not deny on to the next", () => {
    const devops = global(
      "devops.stage-env",
      `{ tier: devops, order: 255, selector: tier == "front", ingress: [{ action: Deny, source: { selector: tier != "front" } }, { action: Pass }] }`,
    );
    expect(
      verdicts([tier("devops", "{ order: 300 }"), devops], ["ops/web shop/web 80", "192.0.2.1 shop/web 80"]),
    ).toEqual(["denied", "allowed"]);
  });
});

describe("Beside policies of Kubernetes", () => {
  const deny = kubernetes("NetworkPolicy", "shop/deny", "{ podSelector: {} }");
  const allow = kubernetes("NetworkPolicy", "shop/db", "{ podSelector: { matchLabels: { app: db } }, ingress: [{}] }");

  test("A NetworkPolicy stands in tier default at order 1000 (documentation; libcalico-go, conversion.go)", () => {
    const asked = ["ops/web shop/db 80"];
    const calicoDeny = (order: number) => local("shop/calico", `{ order: ${order}, ingress: [{ action: Deny }] }`);
    expect(verdicts([deny, allow], asked)).toEqual(["allowed"]);
    expect(verdicts([deny, allow, calicoDeny(999)], asked)).toEqual(["denied"]);
    expect(verdicts([deny, allow, calicoDeny(1001)], asked)).toEqual(["allowed"]);
    const calicoAllow = local("shop/calico", "{ order: 2000, ingress: [{ action: Allow }] }");
    expect(verdicts([deny, calicoAllow], asked)).toEqual(["allowed"]);
  });

  test("A tier before default is asked before it, and passes on to it", () => {
    const early = tier("early", "{ order: 0, defaultAction: Pass }");
    const policy = global("early.db", `{ tier: early, ${dbFromWeb.slice(1)}`);
    const asked = ["ops/web shop/db 80", "ops/probe shop/db 80"];
    expect(verdicts([deny, early, policy], asked)).toEqual(["allowed", "denied"]);
  });

  test("Of the same order as a NetworkPolicy, no order is defined: its name was another in older versions", () => {
    const asked = ["ops/web shop/db 80", "ops/web shop/web 80"];
    const same = local("shop/a", "{ order: 1000, ingress: [{ action: Deny }] }");
    expect(verdicts([deny, allow, same], asked)).toEqual(["undecided", "denied"]);
  });

  const clusterPolicy = (tierName: string, priority: number, action: string) => {
    const rule = `{ action: ${action}, from: [{ namespaces: {} }] }`;
    const spec = `{ tier: ${tierName}, priority: ${priority}, subject: { namespaces: {} }, ingress: [${rule}] }`;
    return calico("ClusterNetworkPolicy", "cnp", spec, "policy.networking.k8s.io/v1alpha2");
  };
  const allowIn = (name: string, order: number) =>
    global(`${name}.p`, `{ tier: ${name}, order: ${order}, ingress: [{ action: Allow }] }`);

  test("ClusterNetworkPolicies stand in kube-admin and kube-baseline by their priority (documentation, kube-admin tier)", () => {
    const asked = ["ops/web shop/db 80"];
    const denied = clusterPolicy("Admin", 100, "Deny");
    expect(verdicts([denied, allowIn("kube-admin", 99)], asked)).toEqual(["allowed"]);
    expect(verdicts([denied, allowIn("kube-admin", 101)], asked)).toEqual(["denied"]);
    expect(verdicts([denied, allowIn("kube-admin", 100)], asked)).toEqual(["undecided"]);
    expect(verdicts([denied, tier("before", "{ order: 999 }"), allowIn("before", 500)], asked)).toEqual(["allowed"]);
    expect(verdicts([denied, tier("after", "{ order: 1001 }"), allowIn("after", 5)], asked)).toEqual(["denied"]);
    const late = clusterPolicy("Baseline", 1, "Deny");
    expect(verdicts([late, allowIn("default", 1)], asked)).toEqual(["allowed"]);
    expect(verdicts([late], asked)).toEqual(["denied"]);
  });

  test("Before Calico 3.32 the tier of AdminNetworkPolicies was called adminnetworkpolicy (libcalico-go/lib/names)", () => {
    const older = tier("adminnetworkpolicy", "{ order: 1000, defaultAction: Pass }");
    const policies = [older, allowIn("adminnetworkpolicy", 5)];
    const asked = ["ops/web shop/db 80"];
    expect(verdicts([...policies, clusterPolicy("Admin", 4, "Deny")], asked)).toEqual(["denied"]);
    expect(verdicts([...policies, clusterPolicy("Admin", 6, "Deny")], asked)).toEqual(["allowed"]);
  });
});

describe("Source and destination", () => {
  const ingress = (source: string, extra = "") =>
    local("shop/p", `{ selector: app == 'db', ingress: [{ action: Allow, source: { ${source} } ${extra} }] }`);
  const everywhere = (source: string) =>
    global("p", `{ selector: app == 'db', ingress: [{ action: Allow, source: { ${source} } }] }`);
  const asked = ["shop/web shop/db 80", "ops/web shop/db 80", "ops/probe shop/db 80", "192.0.2.1 shop/db 80"];

  test("In a NetworkPolicy a selector speaks of its own namespace, in a GlobalNetworkPolicy of all (reference, Selector scopes)", () => {
    expect(verdicts([ingress("selector: app == 'web'")], asked)).toEqual(["allowed", "denied", "denied", "denied"]);
    expect(verdicts([everywhere("selector: app == 'web'")], asked)).toEqual(["allowed", "allowed", "denied", "denied"]);
  });

  test("all() selects pods and network sets, not everything (reference, EntityRule)", () => {
    expect(verdicts([everywhere("selector: all()")], asked)).toEqual(["allowed", "allowed", "allowed", "denied"]);
    expect(verdicts([everywhere("")], asked)).toEqual(["allowed", "allowed", "allowed", "allowed"]);
  });

  test("A namespaceSelector widens a NetworkPolicy's selector to other namespaces (reference, EntityRule)", () => {
    expect(verdicts([ingress("selector: app == 'web', namespaceSelector: all()")], asked)).toEqual([
      "allowed",
      "allowed",
      "denied",
      "denied",
    ]);
    expect(verdicts([ingress("namespaceSelector: team == 'b'")], asked)).toEqual([
      "denied",
      "allowed",
      "allowed",
      "denied",
    ]);
  });

  test("A negative selector selects pods that lack the label; notSelector everything but those that have it (reference, notSelector)", () => {
    expect(verdicts([everywhere(`selector: "!has(tier)"`)], asked)).toEqual(["denied", "allowed", "allowed", "denied"]);
    expect(verdicts([everywhere("notSelector: has(tier)")], asked)).toEqual([
      "denied",
      "allowed",
      "allowed",
      "allowed",
    ]);
  });

  test("In a NetworkPolicy notSelector alone still speaks of its own namespace (libcalico-go, GetEntityRuleSelector)", () => {
    expect(verdicts([ingress("notSelector: has(tier)")], asked)).toEqual(["denied", "denied", "denied", "denied"]);
    expect(verdicts([ingress("notSelector: app == 'probe'")], asked)).toEqual([
      "allowed",
      "denied",
      "denied",
      "denied",
    ]);
  });

  test("selector and notSelector are both asked", () => {
    const both = everywhere("selector: app == 'web', notSelector: has(tier)");
    expect(verdicts([both], asked)).toEqual(["denied", "allowed", "denied", "denied"]);
  });

  test("nets match the addresses of pods too: rules match packets (reference, EntityRule)", () => {
    const questions = [...asked, "10.0.1.77 shop/db 80"];
    const expected = ["denied", "allowed", "allowed", "denied", "allowed"];
    expect(verdicts([everywhere("nets: [10.0.1.0/24]")], questions)).toEqual(expected);
    expect(verdicts([everywhere("nets: [10.0.1.1]")], questions)).toEqual([
      "denied",
      "allowed",
      "denied",
      "denied",
      "denied",
    ]);
  });

  test("notNets matches all but those, and nets and notNets are both asked (reference, Rule)", () => {
    expect(verdicts([everywhere("notNets: [10.0.1.0/24]")], asked)).toEqual(["allowed", "denied", "denied", "allowed"]);
    const both = everywhere("nets: [10.0.0.0/8], notNets: [10.0.1.1/32]");
    expect(verdicts([both], asked)).toEqual(["allowed", "denied", "allowed", "denied"]);
  });

  test("A selector and nets are both asked (reference, EntityRule)", () => {
    const both = everywhere("selector: app == 'web', nets: [10.0.1.0/24]");
    expect(verdicts([both], asked)).toEqual(["denied", "allowed", "denied", "denied"]);
  });

  test("A rule of nets of one family says nothing of the other, notNets included (felix/rules/policy.go)", () => {
    const questions = ["192.0.2.1 shop/six 80", "2001:db8::1 shop/six 80"];
    const six = { "shop/six": { labels: { app: "db" }, addresses: ["10.0.0.6", "fd00::6"] } };
    const answers = (source: string, extra = "") => {
      const rule = `{ action: Allow, source: { ${source} } ${extra} }`;
      const { ask } = createCluster({ pods: six, policies: [global("p", `{ ingress: [${rule}] }`)] });
      return questions.map((question) => ask(question.split(" ")[0] ?? "", "shop/six", 80).verdict);
    };
    expect(answers("nets: [0.0.0.0/0]")).toEqual(["allowed", "denied"]);
    expect(answers("notNets: [10.0.0.0/8]")).toEqual(["allowed", "denied"]);
    expect(answers("notNets: ['fd00::/8']")).toEqual(["denied", "allowed"]);
    expect(answers("notNets: [0.0.0.0/0]")).toEqual(["denied", "denied"]);
    expect(answers("nets: [0.0.0.0/0, '::/0']")).toEqual(["allowed", "allowed"]);
    expect(answers("", ", ipVersion: 6")).toEqual(["denied", "allowed"]);
    expect(answers("nets: [0.0.0.0/0, '::/0']", ", ipVersion: 4")).toEqual(["allowed", "denied"]);
    expect(answers("", ", destination: { nets: ['::/0'] }")).toEqual(["denied", "allowed"]);
  });

  test("serviceAccounts by names is known; by labels it is perhaps (reference, ServiceAccountMatch)", () => {
    const names = everywhere("serviceAccounts: { names: [web, other] }");
    expect(verdicts([names], asked)).toEqual(["allowed", "allowed", "denied", "denied"]);
    const own = ingress("serviceAccounts: { names: [web] }");
    expect(verdicts([own], asked)).toEqual(["allowed", "denied", "denied", "denied"]);
    const byLabel = everywhere("serviceAccounts: { names: [web], selector: role == 'x' }");
    expect(verdicts([byLabel], asked)).toEqual(["undecided", "undecided", "denied", "denied"]);
    const byName = everywhere(`serviceAccounts: { selector: "projectcalico.org/name == 'web'" }`);
    expect(verdicts([byName], asked)).toEqual(["allowed", "allowed", "denied", "denied"]);
  });

  test("In an ingress rule the destination restricts the policy's own pods (reference, Rule)", () => {
    const policy = local(
      "shop/p",
      `{ ingress: [{ action: Allow, destination: { selector: app == 'db', notSelector: has(tier) } }] }`,
    );
    expect(verdicts([policy], ["ops/web shop/db 80", "ops/web shop/web 80"])).toEqual(["allowed", "denied"]);
  });

  test("What selects the policy's own pods by labels of service accounts or by network sets is undecided", () => {
    const restricted = (destination: string) =>
      local("shop/p", `{ ingress: [{ action: Allow, destination: { ${destination} } }] }`);
    const questions = ["ops/web shop/db 80"];
    const pool = netSet("pool", "pods", ["10.0.0.0/24"]);
    expect(verdicts([restricted("serviceAccounts: { selector: role == 'x' }")], questions)).toEqual(["undecided"]);
    const own = netSet("shop/pool", "pods", ["10.0.0.0/24"]);
    expect(verdicts([own, restricted("selector: zone == 'pods'")], questions)).toEqual(["undecided"]);
    expect(verdicts([pool, restricted("selector: zone == 'pods'")], questions)).toEqual(["denied"]);
    expect(verdicts([pool, restricted("notSelector: zone == 'pods'")], questions)).toEqual(["undecided"]);
  });

  test("A long name of a service account is no label, so that nothing selects by it (workload_endpoint_default.go)", () => {
    const answer = (name: string) => {
      const policies = [everywhere(`serviceAccounts: { names: [${name}] }`)];
      const { ask } = createCluster({ pods: { ...pods, "ops/x": { serviceAccount: name } }, namespaces, policies });
      return ask("ops/x", "shop/db", 80).verdict;
    };
    expect([answer("a".repeat(62)), answer("a".repeat(63))]).toEqual(["allowed", "denied"]);
  });

  test("notSelector by labels of service accounts is undecided for pods, and lets in what is outside", () => {
    const policy = everywhere("notSelector: pcsa.role == 'x'");
    expect(verdicts([policy], asked)).toEqual(["undecided", "undecided", "undecided", "allowed"]);
  });

  test("In an egress rule the source restricts the policy's own pods, and the destination is the peer (reference, Rule)", () => {
    const policy = local(
      "shop/p",
      `{ egress: [{ action: Allow, source: { selector: app == 'web' }, destination: { selector: app == 'db' } }] }`,
    );
    const questions = ["shop/web shop/db 80", "shop/web ops/web 80", "shop/db shop/web 80"];
    expect(verdicts([policy], questions)).toEqual(["allowed", "denied", "denied"]);
  });

  test("Addresses of the policy's own pods are not evaluated, and the answer is undecided", () => {
    const policy = local("shop/p", "{ ingress: [{ action: Allow, destination: { nets: [10.0.0.2/32] } }] }");
    expect(verdicts([policy], ["ops/web shop/db 80"])).toEqual(["undecided"]);
  });

  describe("services stand for the endpoints of a Service, as a destination with their ports (reference, ServiceMatch)", () => {
    const ports = [
      { name: "sql", protocol: "TCP" as const, port: 80, targetPort: "sql" },
      { name: "admin", protocol: "TCP" as const, port: 81, targetPort: 8081 },
    ];
    const services = [
      { namespace: "shop", name: "db", selector: { app: "db" }, ports },
      { namespace: "shop", name: "outside", selector: {}, ports },
    ];
    const ask = (policy: WireObject) => createCluster({ pods, namespaces, services, policies: [policy] }).ask;

    test("In an egress rule", () => {
      const rule = "{ action: Allow, protocol: TCP, destination: { services: { name: db } } }";
      const own = ask(local("shop/p", `{ selector: app == 'web', egress: [${rule}] }`));
      const asked = [5432, 8081, 80, "5432/UDP"].map((port) => own("shop/web", "shop/db", port).verdict);
      expect(asked).toEqual(["allowed", "allowed", "denied", "denied"]);
      expect(own("shop/web", "ops/web", 8081).verdict).toBe("denied");
    });

    test("In an ingress rule, where their ports are no matter, and of another namespace", () => {
      const rule = "{ action: Deny, source: { services: { name: db, namespace: shop } } }";
      const other = ask(global("p", `{ namespaceSelector: team == 'b', ingress: [${rule}, { action: Allow }] }`));
      expect(other("shop/db", "ops/web", 1).verdict).toBe("denied");
      expect(other("shop/web", "ops/web", 1).verdict).toBe("allowed");
    });

    test("In a NetworkPolicy, of another namespace by its name", () => {
      const rule = "{ action: Allow, destination: { services: { name: db, namespace: shop } } }";
      const own = ask(local("ops/p", `{ egress: [${rule}] }`));
      expect(own("ops/web", "shop/db", 8081).verdict).toBe("allowed");
    });

    test("Which nodes are endpoints, where pods on the host network are, is undecided", () => {
      const policies = [local("shop/p", "{ egress: [{ action: Allow, destination: { services: { name: db } } }] }")];
      const onHost = { ...pods, "shop/host": { labels: { app: "db" }, hostNetwork: true, addresses: ["10.9.0.1"] } };
      const asked = { from: "shop/web", to: "shop/host" };
      const verdict = (all: typeof pods) =>
        createCluster({ pods: { ...onHost, ...all }, namespaces, services, policies }).ask(asked.from, asked.to, 8081);
      expect(verdict({}).verdict).toBe("undecided");
      expect(verdict({ "shop/host": { ...onHost["shop/host"], labels: {} } }).verdict).toBe("denied");
    });

    test("Where its endpoints are not known, the answer is undecided", () => {
      for (const name of ["outside", "nowhere"]) {
        const own = ask(
          local("shop/p", `{ egress: [{ action: Allow, destination: { services: { name: ${name} } } }] }`),
        );
        const { verdict, egress } = own("shop/web", "shop/db", 80);
        expect(verdict).toBe("undecided");
        expect(egress.because).toMatchObject([
          { kind: "rule", maybe: `services: the endpoints of shop/${name} are not known` },
          { kind: "isolated" },
        ]);
      }
    });
  });
});

describe("Network sets", () => {
  const sets = [
    netSet("partners", "red", ["192.0.2.0/24", "2001:db8::/32"]),
    netSet("shop/partners", "blue", ["198.51.100.7"]),
  ];
  const outside = ["192.0.2.1 shop/db 80", "198.51.100.7 shop/db 80", "203.0.113.1 shop/db 80"];
  const from = (create: typeof global, name: string, source: string) =>
    create(name, `{ selector: app == 'db', ingress: [{ action: Allow, source: { ${source} } }] }`);

  test("A selector of a GlobalNetworkPolicy selects them by their labels (reference, EntityRule)", () => {
    const zones = from(global, "p", "selector: has(zone)");
    expect(verdicts([...sets, zones], outside)).toEqual(["allowed", "allowed", "denied"]);
    const red = from(global, "p", "selector: zone == 'red'");
    expect(verdicts([...sets, red], outside)).toEqual(["allowed", "denied", "denied"]);
  });

  test("A NetworkPolicy selects the NetworkSets of its namespace, and the global ones by global() (reference, Selector scopes)", () => {
    const own = from(local, "shop/p", "selector: has(zone)");
    expect(verdicts([...sets, own], outside)).toEqual(["denied", "allowed", "denied"]);
    const globals = from(local, "shop/p", "selector: has(zone), namespaceSelector: global()");
    expect(verdicts([...sets, globals], outside)).toEqual(["allowed", "denied", "denied"]);
    const all = from(local, "shop/p", "selector: has(zone), namespaceSelector: all()");
    expect(verdicts([...sets, all], outside)).toEqual(["denied", "allowed", "denied"]);
    const named = from(local, "shop/p", `namespaceSelector: "projectcalico.org/name == 'shop'"`);
    expect(verdicts([...sets, named], outside)).toEqual(["denied", "allowed", "denied"]);
  });

  test("notSelector leaves out the network sets that it selects (reference, Understanding notSelector)", () => {
    const policy = from(global, "p", "notSelector: zone == 'red'");
    expect(verdicts([...sets, policy], outside)).toEqual(["denied", "allowed", "allowed"]);
  });

  test("A pod whose address is in a selected set is matched by it", () => {
    const policy = from(global, "p", "selector: zone == 'pods'");
    const questions = ["ops/web shop/db 80", "shop/web shop/db 80"];
    expect(verdicts([netSet("pods", "pods", ["10.0.1.0/24"]), policy], questions)).toEqual(["allowed", "denied"]);
  });

  test("A NetworkSet inherits the labels of its namespace (libcalico-go, networksetprocessor.go)", () => {
    const policy = from(local, "shop/p", "namespaceSelector: team == 'a'");
    expect(verdicts([...sets, policy], outside)).toEqual(["denied", "allowed", "denied"]);
    const elsewhere = netSet("nowhere/x", "red", ["192.0.2.1"]);
    expect(verdicts([elsewhere, policy], outside)).toEqual(["denied", "denied", "denied"]);
  });

  test("The labels of one that is stored in the CRD of version 1 are in an annotation (libcalico-go, resources.go)", () => {
    const stored: WireObject = {
      apiVersion: "crd.projectcalico.org/v1",
      kind: "GlobalNetworkSet",
      metadata: { name: "x", annotations: { "projectcalico.org/metadata": `{"labels":{"zone":"red"}}` } } as never,
      spec: { nets: ["203.0.113.0/24"] },
    };
    const policy = from(global, "p", "selector: zone == 'red'");
    expect(verdicts([stored, policy], outside)).toEqual(["denied", "denied", "allowed"]);
  });

  test("One that cannot be read may be what any selector selects", () => {
    const { simulator, ask } = cluster([
      netSet("x", "red", ["nonsense"]),
      from(global, "p", "selector: zone == 'red'"),
    ]);
    expect(simulator.problems).toMatchObject([
      { object: { kind: "GlobalNetworkSet", name: "x" }, problems: [{ field: "spec.nets[0]" }] },
    ]);
    expect(ask("192.0.2.1", "shop/db", 80).verdict).toBe("undecided");
  });

  test("So may one of another namespace, for a GlobalNetworkPolicy", () => {
    const broken = netSet("shop/x", "red", ["nonsense"]);
    const policy = global(
      "p",
      "{ namespaceSelector: team == 'b', ingress: [{ action: Allow, source: { selector: a == 'b' } }] }",
    );
    const { ask } = cluster([broken, policy]);
    expect(ask("192.0.2.1", "ops/web", 80).verdict).toBe("undecided");
  });

  test("A host endpoint is selected by its labels and expectedIPs (reference, HostEndpoint)", () => {
    const host: WireObject = {
      apiVersion: "projectcalico.org/v3",
      kind: "HostEndpoint",
      metadata: { name: "n1", labels: { zone: "node" } } as never,
      spec: { node: "n1", interfaceName: "*", expectedIPs: ["203.0.113.1"] },
    };
    const policy = from(global, "p", "selector: zone == 'node'");
    expect(verdicts([host, policy], outside)).toEqual(["denied", "denied", "allowed"]);
  });
});

describe("Protocols and ports", () => {
  const rule = (fields: string) =>
    local("shop/p", `{ selector: app == 'db', ingress: [{ action: Allow, ${fields} }] }`);
  const open = (fields: string, ports: readonly (number | string)[]) =>
    verdicts(
      [rule(fields)],
      ports.map((port) => `ops/web shop/db ${port}`),
    ).map((verdict) => verdict === "allowed");

  test("A protocol by name or by number, and none is every one (reference, Rule)", () => {
    const asked = ["80", "80/UDP", "80/SCTP"];
    expect(open("protocol: TCP", asked)).toEqual([true, false, false]);
    expect(open("protocol: 17", asked)).toEqual([false, true, false]);
    expect(open("protocol: 132", asked)).toEqual([false, false, true]);
    expect(open("metadata: { annotations: { a: b } }", asked)).toEqual([true, true, true]);
    expect(open("notProtocol: TCP", asked)).toEqual([false, true, true]);
    expect(open("notProtocol: ICMP", asked)).toEqual([true, true, true]);
    expect(open("protocol: TCP, notProtocol: 6", asked)).toEqual([false, false, false]);
    expect(open("protocol: UDPLite", asked)).toEqual([false, false, false]);
  });

  test("A rule for ICMP does not bear on TCP, and is told as not evaluated (reference, ICMP)", () => {
    const { ask } = cluster([rule("protocol: ICMP, icmp: { type: 8 }")]);
    const { ingress } = ask("ops/web", "shop/db", 80);
    expect(ingress.verdict).toBe("denied");
    expect(ingress.notEvaluated).toMatchObject([{ what: "ingress[0]: protocol ICMP" }]);
  });

  test("Ports are numbers, ranges and names (reference, Ports)", () => {
    const asked = [80, 6040, 6050, 6051, 8443];
    expect(open("protocol: TCP, destination: { ports: [80, '6040:6050', '8443'] }", asked)).toEqual([
      true,
      true,
      true,
      false,
      true,
    ]);
  });

  test("A port's name is that of the destination pod, for the rule's protocol, or for every one (reference, Named ports)", () => {
    const asked = ["5432", "5432/UDP", "53", "53/UDP"];
    expect(open("protocol: TCP, destination: { ports: [sql, dns] }", asked)).toEqual([true, false, false, false]);
    expect(open("destination: { ports: [sql, dns] }", asked)).toEqual([true, false, false, true]);
  });

  test("notPorts leaves ports out, also of ports (reference, EntityRule)", () => {
    const asked = ["79", "80", "90", "91", "80/UDP"];
    expect(open("protocol: TCP, destination: { notPorts: ['80:90'] }", asked)).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    expect(open("protocol: TCP, destination: { ports: ['80:100'], notPorts: ['80:90'] }", asked)).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  test("What is asked of the port that a connection comes from, of names in notPorts and of requests is undecided", () => {
    for (const fields of [
      "protocol: TCP, source: { ports: [1000] }",
      "protocol: TCP, destination: { notPorts: [sql] }",
      "http: { methods: [GET] }",
    ])
      expect(verdicts([rule(fields)], ["ops/web shop/db 80"])).toEqual(["undecided"]);
  });
});

describe("What is not in force, or not for pods", () => {
  test("Staged policies are not in force (documentation, Staged network policies)", () => {
    const staged = ["StagedNetworkPolicy", "StagedKubernetesNetworkPolicy"].map((kind) =>
      calico(kind, "shop/p", "{ ingress: [] }"),
    );
    const everywhere = calico("StagedGlobalNetworkPolicy", "p", "{ ingress: [] }");
    expect(verdicts([...staged, everywhere], ["ops/web shop/db 80"])).toEqual(["allowed"]);
  });

  test("doNotTrack and preDNAT are for hosts; what they do to pods is undecided (reference and event_sequencer.go differ)", () => {
    for (const field of ["doNotTrack", "preDNAT"]) {
      const policy = global(
        "p",
        `{ ${field}: true, applyOnForward: true, types: [Ingress], ingress: [{ action: Deny }] }`,
      );
      expect(verdicts([policy], ["ops/web shop/db 80"])).toEqual(["undecided"]);
    }
  });

  test("applyOnForward and performanceHints change nothing for pods (reference, GlobalNetworkPolicy)", () => {
    const policy = global(
      "p",
      "{ applyOnForward: true, performanceHints: [AssumeNeededOnEveryNode], ingress: [{ action: Deny }] }",
    );
    expect(verdicts([policy], ["ops/web shop/db 80"])).toEqual(["denied"]);
  });

  test("Other kinds of Calico's groups are no policy", () => {
    const { simulator } = cluster([calico("IPPool", "pool", "{ cidr: 10.0.0.0/8 }")]);
    expect([simulator.policies, simulator.problems]).toEqual([[], []]);
  });
});

describe("A whole quarantine", () => {
  test("An own tier before all others isolates a pod but for forensics, whatever other policies allow", () => {
    const rules = (side: string) => `
      - { action: Allow, protocol: TCP, ${side}: { namespaceSelector: "projectcalico.org/name == 'ops'", selector: app == 'probe' } }
      - { action: Deny }`;
    const spec = `
tier: quarantine
order: 0
selector: projectcalico.org/orchestrator == "k8s" && app == 'db'
types: [Ingress, Egress]
ingress: ${rules("source")}
egress: ${rules("destination")}`;
    const policies = [
      tier("quarantine", "{ order: 0, defaultAction: Pass }"),
      global("quarantine.inc-42", spec),
      kubernetes("NetworkPolicy", "shop/all", "{ podSelector: {}, ingress: [{}], egress: [{}] }"),
      global("allow", "{ order: 0, ingress: [{ action: Allow }], egress: [{ action: Allow }] }"),
    ];
    const asked = [
      "ops/probe shop/db 8443",
      "shop/db ops/probe 80",
      "ops/web shop/db 80",
      "shop/db 192.0.2.1 443",
      "ops/probe shop/db 53/UDP",
    ];
    expect(verdicts(policies, asked)).toEqual(["allowed", "allowed", "denied", "denied", "denied"]);
    expect(verdicts(policies, ["ops/web shop/web 80"])).toEqual(["allowed"]);
  });
});

describe("What cannot be read", () => {
  const rule = (fields: string) => local("shop/p", `{ ingress: [{ action: Allow, ${fields} }] }`);
  const cases: readonly [title: string, object: WireObject, problem: RegExp][] = [
    [
      "a selector",
      local("shop/p", `{ selector: "app = 'a'" }`),
      /^spec\.selector is no selector of Calico: it cannot be read/,
    ],
    ["a rule's selector", rule("source: { selector: app }"), /^spec\.ingress\[0\]\.source\.selector is no selector/],
    [
      "global() outside of a namespaceSelector",
      rule("source: { selector: global() }"),
      /source\.selector must not use global/,
    ],
    ["global() with more", rule("source: { namespaceSelector: global() || has(a) }"), /combines global/],
    ["an unknown field", local("shop/p", "{ podSelector: {} }"), /^spec\.podSelector is no field here/],
    [
      "a field of GlobalNetworkPolicy only",
      local("shop/p", "{ namespaceSelector: all() }"),
      /^spec\.namespaceSelector is no/,
    ],
    ["an unknown field of a rule", rule("from: []"), /^spec\.ingress\[0\]\.from is no field here/],
    [
      "an unknown action",
      local("shop/p", "{ ingress: [{ action: Accept }] }"),
      /ingress\[0\]\.action must be Allow, Deny/,
    ],
    ["no action", local("shop/p", "{ ingress: [{ protocol: TCP }] }"), /ingress\[0\]\.action/],
    ["a protocol", rule("protocol: tcp"), /ingress\[0\]\.protocol/],
    ["a net", rule("source: { nets: [10.0.0.0/33] }"), /source\.nets\[0\] is no CIDR/],
    ["a port", rule("protocol: TCP, destination: { ports: ['80-90'] }"), /destination\.ports\[0\] is no port/],
    ["a range backwards", rule("protocol: TCP, destination: { ports: ['90:80'] }"), /destination\.ports\[0\]/],
    ["a port without a protocol", rule("destination: { ports: [80] }"), /destination\.ports needs protocol TCP, UDP/],
    ["a port of ICMP", rule("protocol: ICMP, destination: { ports: [sql] }"), /destination\.ports needs protocol TCP/],
    ["icmp of TCP", rule("protocol: TCP, icmp: { type: 8 }"), /icmp needs protocol ICMP/],
    [
      "services beside a selector",
      rule("source: { services: { name: a }, selector: all() }"),
      /selector must not stand beside/,
    ],
    [
      "services of the policy's own pods",
      rule("destination: { services: { name: a } }"),
      /services is only for the source/,
    ],
    [
      "services without a namespace in a GlobalNetworkPolicy",
      global("p", "{ egress: [{ action: Allow, destination: { services: { name: a } } }] }"),
      /^spec\.egress\[0\]\.destination\.services\.namespace is needed/,
    ],
    [
      "requests that go out",
      local("shop/p", "{ egress: [{ action: Allow, http: {} }] }"),
      /^spec\.egress\[0\]\.http is only for ingress rules/,
    ],
    [
      "requests that are denied",
      local("shop/p", "{ ingress: [{ action: Deny, http: {} }] }"),
      /http is only for the action Allow/,
    ],
    ["doNotTrack without applyOnForward", global("p", "{ doNotTrack: true }"), /^spec\.applyOnForward must be true/],
    ["an order", global("p", "{ order: first }"), /^spec\.order is text; it must be a number/],
    ["types", global("p", "{ types: [ingress] }"), /^spec\.types\[0\] must be Ingress or Egress/],
    ["a tier that is nowhere", global("p", "{ tier: nowhere }"), /^spec\.tier names the tier nowhere, which is not/],
    ["a tier's order", tier("t", "{ order: '5' }"), /^spec\.order is text/],
    ["a tier's action", tier("t", "{ defaultAction: Allow }"), /^spec\.defaultAction must be Pass or Deny/],
    ["a spec that is a list", global("p", "[]"), /^spec is a list; it must be a mapping/],
  ];

  for (const [title, object, problem] of cases)
    test(`${title} is a problem at its field, and what the policy may select is undecided`, () => {
      expect(problemsIn(object)).toEqual([expect.stringMatching(problem)]);
      expect(cluster([object]).ask("ops/web", "shop/db", 80).verdict).toBe("undecided");
    });
});

describe("A changed cluster", () => {
  test("A NetworkPolicy that is added stands in the tier that was there before", () => {
    const allow = local("shop/allow", "{ order: 2000, ingress: [{ action: Allow }] }");
    const deny = kubernetes("NetworkPolicy", "shop/deny", "{ podSelector: {} }");
    const { simulator } = cluster([allow]);
    const after = change(simulator, { added: [deny] });
    expect(askIn(after, "ops/web", "shop/db").verdict).toBe("allowed");
    expect(askIn(change(after, { removed: [allow] }), "ops/web", "shop/db").verdict).toBe("denied");
  });
});

function askIn(simulator: Simulator, from: string, to: string) {
  const end = (key: string): Endpoint => {
    const pod = simulator.snapshot.pods.find(({ namespace, name }) => `${namespace}/${name}` === key);
    if (pod === undefined) throw new Error(`no pod ${key}`);
    return { kind: "pod", pod };
  };
  return decide(simulator, { from: end(from), to: end(to), protocol: "TCP", port: 80 });
}
