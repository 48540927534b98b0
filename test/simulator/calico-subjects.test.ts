import { describe, expect, test } from "vitest";
import type { WireObject } from "../../src/simulator/model.ts";
import { calico, cluster, global, local, namespaces, pods, verdicts } from "./calico-cases.ts";
import { createCluster } from "./cluster.ts";

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
