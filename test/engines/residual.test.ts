import { expect, test } from "vitest";
import { residualOf } from "../../src/commands/residual-words.ts";
import type { Denial } from "../../src/engines/denial.ts";
import { deniesOf } from "../../src/engines/engines.ts";
import { denyByNetworkPolicy } from "../../src/engines/networkpolicy.ts";
import type { DenyEngine } from "../../src/policy/engine.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { createCluster } from "../simulator/cluster.ts";
import { aDenial, someEndpoints } from "./denials.ts";
import { noWays, settingsOf } from "./random-denial.ts";

/** Selects everything in the namespace, whatever its labels, and lets everything through. */
const allowAll = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "allow-all", namespace: "shop" },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] },
};

const pods = {
  "shop/web": { labels: { "bulkhead.dev/quarantine": "q-1" }, addresses: ["10.0.0.1"], node: "n1" },
  "shop/db": { labels: { app: "db" }, addresses: ["10.0.0.2"], node: "n1" },
  "forensics/vault": { labels: { app: "vault" }, addresses: ["10.0.1.1"], node: "n2" },
  "ops/prometheus": { labels: { app: "prometheus" }, addresses: ["10.0.2.1"], node: "n2" },
  "ops/agent": { hostNetwork: true, addresses: ["192.168.0.2"], node: "n2" },
  "ops/own-agent": { hostNetwork: true, addresses: ["192.168.0.1"], node: "n1" },
};

/** What stays open of shop/web with the engine's objects and the NetworkPolicy in force. */
function left(engine: DenyEngine, endpoints: Denial["endpoints"]): readonly string[] {
  const denial = aDenial({ endpoints });
  const ours = [denyByNetworkPolicy(denial), ...deniesOf(engine, denial, noWays).objects] as unknown as WireObject[];
  const { simulator } = createCluster({
    namespaces: { ops: { team: "ops" } },
    pods,
    policies: [allowAll, ...ours],
    settings: settingsOf(engine, false),
  });
  expect(simulator.problems).toEqual([]);
  const web = simulator.snapshot.pods.filter(({ name }) => name === "web");
  return residualOf(simulator, web, ours).map(({ policy, allows, sure }) => `${policy} ${sure} ${allows}`);
}

test.each([[[]], [someEndpoints]])(
  "Under an allow-all, NetworkPolicy alone leaves everything open (%#)",
  (endpoints) => {
    expect(left("networkpolicy", endpoints)[0]).toMatch(/^allow-all true out to /);
  },
);

test.each(["cilium", "calico", "antrea"] as const)("Under an allow-all, %s leaves nothing open", (engine) => {
  expect(left(engine, [])).toEqual([]);
  expect(left(engine, someEndpoints)).toEqual([]);
});

test.each(["cluster-network-policy", "admin-network-policy"] as const)(
  "Under an allow-all, %s leaves open what comes in from outside and from nodes, and nothing else",
  (engine) => {
    for (const endpoints of [[], someEndpoints]) {
      const open = left(engine, endpoints);
      expect(open).toHaveLength(1);
      expect(open[0]).toMatch(/^allow-all true in from /);
      expect(open[0]).not.toMatch(/out to|db|vault|prometheus/);
    }
  },
);
