import { expect, test } from "vitest";
import { createCluster } from "./cluster.ts";

const shop = {
  "shop/web": { labels: { app: "web" }, ports: [{ name: "http", protocol: "TCP" as const, port: 8080 }] },
  "shop/db": { labels: { app: "db" } },
  "other/web": { labels: { app: "web" } },
};

const denyAll = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny-all, namespace: shop }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
`;

const allowWebToDb = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db-from-web, namespace: shop }
spec:
  podSelector: { matchLabels: { app: db } }
  ingress:
    - from: [{ podSelector: { matchLabels: { app: web } } }]
      ports: [{ port: 5432 }]
`;

test("Without a policy everything is allowed, and the answer says that none speaks of it", () => {
  const { ask } = createCluster({ pods: shop });
  const answer = ask("shop/web", "shop/db", 5432);
  expect(answer.verdict).toBe("allowed");
  expect(answer.egress.because).toEqual([{ kind: "no-policy" }]);
  expect(answer.ingress.because).toEqual([{ kind: "no-policy" }]);
});

test("A denied connection names the policies that isolate, an allowed one the rule", () => {
  const { ask } = createCluster({ pods: shop, policies: allowWebToDb });
  const reference = { kind: "NetworkPolicy", namespace: "shop", name: "db-from-web" };
  expect(ask("shop/web", "shop/db", 5432).ingress.because).toEqual([
    { kind: "rule", policy: reference, rule: "ingress[0]", action: "allow", maybe: undefined },
  ]);
  const denied = ask("other/web", "shop/db", 5432);
  expect(denied.verdict).toBe("denied");
  expect(denied.ingress).toEqual({
    verdict: "denied",
    because: [{ kind: "isolated", policies: [reference], maybe: undefined }],
    notEvaluated: [],
  });
  expect(denied.egress.verdict).toBe("allowed");
});

test("Both ends must allow: an allowance of the destination does not open the source", () => {
  const { ask } = createCluster({ pods: shop, policies: `${denyAll}---${allowWebToDb}` });
  const answer = ask("shop/web", "shop/db", 5432);
  expect([answer.egress.verdict, answer.ingress.verdict, answer.verdict]).toEqual(["denied", "allowed", "denied"]);
});

test("A pod always reaches itself, and its own node; an address outside has no policies of its own", () => {
  const pods = {
    ...shop,
    "shop/web": { ...shop["shop/web"], node: "n1" },
    "kube-system/agent": { node: "n1", hostNetwork: true },
  };
  const { ask } = createCluster({ pods, policies: denyAll });
  expect(ask("shop/web", "shop/web", 80).egress.because).toEqual([{ kind: "itself" }]);
  expect(ask("kube-system/agent", "shop/web", 80).ingress.because).toEqual([{ kind: "own-node" }]);
  expect(ask("kube-system/agent", "shop/db", 80).verdict).toBe("denied");
  expect(ask("203.0.113.7", "other/web", 80).egress.because).toEqual([{ kind: "not-a-pod" }]);
});

test("A policy that cannot be read is told with its field, and leaves undecided whatever it may select", () => {
  const policies = denyAll.replace("podSelector: {}", "podSelecter: {}");
  const { ask, simulator } = createCluster({ pods: shop, policies });
  expect(simulator.problems).toMatchObject([
    { object: { name: "deny-all" }, problems: [{ field: "spec.podSelecter" }] },
  ]);
  expect(ask("shop/web", "shop/db", 80).verdict).toBe("undecided");
  expect(ask("shop/web", "other/web", 80).verdict).toBe("undecided");
  expect(ask("other/web", "203.0.113.7", 80).verdict).toBe("allowed");
});

test("Where engines differ on whether an ipBlock matches pods, either reading can be asked for, or both", () => {
  const policies = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: from-ten, namespace: shop }
spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }] }
`;
  const pods = { ...shop, "other/web": { addresses: ["10.1.2.3"] } };
  const verdicts = ([true, false, "unknown"] as const).map((ipBlockMatchesPods) => {
    const { ask } = createCluster({ pods, policies, settings: { ipBlockMatchesPods } });
    return ask("other/web", "shop/db", 80).verdict;
  });
  expect(verdicts).toEqual(["allowed", "denied", "undecided"]);
});

test("A named port is the destination's own", () => {
  const policies = allowWebToDb.replace("app: db", "app: web").replace("5432", "http");
  const { ask } = createCluster({ pods: { ...shop, "shop/web2": { labels: { app: "web" } } }, policies });
  expect(ask("shop/web2", "shop/web", 8080).verdict).toBe("allowed");
  expect(ask("shop/web2", "shop/web", 80).verdict).toBe("denied");
  expect(ask("shop/web", "shop/web2", 8080).verdict).toBe("denied");
});

test("On Cilium and Calico what a pod sends to its own node obeys its policies, though the node always reaches it, and on Cilium no ipBlock means a node", () => {
  const pods = {
    "shop/web": { labels: { app: "web" }, node: "n1" },
    "kube-system/agent": { node: "n1", hostNetwork: true, addresses: ["10.0.0.1"] },
  };
  const policies = `${denyAll}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ten, namespace: shop }
spec: { podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }] }
`;
  const verdicts = ([undefined, "antrea", "calico", "cilium"] as const).map((engine) => {
    const here = createCluster({ pods, policies: denyAll, settings: { engine } });
    const elsewhere = { ...pods, "kube-system/agent": { ...pods["kube-system/agent"], node: "n2" } };
    const there = createCluster({ pods: elsewhere, policies, settings: { engine } });
    return [
      here.ask("kube-system/agent", "shop/web", 80).verdict,
      here.ask("shop/web", "kube-system/agent", 80).verdict,
      there.ask("shop/web", "kube-system/agent", 80).verdict,
    ];
  });
  expect(verdicts).toEqual([
    ["allowed", "allowed", "allowed"],
    ["allowed", "allowed", "allowed"],
    ["allowed", "denied", "allowed"],
    ["allowed", "denied", "denied"],
  ]);
});
