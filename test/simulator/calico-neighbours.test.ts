import { describe, expect, test } from "vitest";
import { change } from "../../src/simulator/change.ts";
import type { Simulator } from "../../src/simulator/compile.ts";
import { decide, type Endpoint } from "../../src/simulator/decide.ts";
import { calico, cluster, dbFromWeb, global, kubernetes, local, tier, verdicts } from "./calico-cases.ts";

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
