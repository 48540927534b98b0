import { describe, expect, test } from "vitest";
import type { WireObject } from "../../src/simulator/model.ts";
import { global, local, namespaces, netSet, pods, verdicts } from "./calico-cases.ts";
import { createCluster } from "./cluster.ts";

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
