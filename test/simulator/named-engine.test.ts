import { expect, test } from "vitest";
import { createCluster } from "./cluster.ts";

const policies = `
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: { name: deny }
spec: { ingress: [{ action: Deny }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: shop }
spec: { podSelector: { matchLabels: { app: db } } }
`;
const pods = { "shop/web": {}, "shop/db": { labels: { app: "db" } } };

test("Of a policy of another engine than the one that is named it is not sure that it is in force, and that is said", () => {
  const { simulator, ask } = createCluster({ pods, policies, settings: { engine: "cilium" } });
  const { verdict, ingress } = ask("shop/db", "shop/web", 80);
  expect(verdict).toBe("undecided");
  expect(ingress.because).toMatchObject([
    { kind: "rule", maybe: "it is a policy of calico, and cilium is named as the engine that enforces" },
    { kind: "isolated" },
    { kind: "no-policy" },
  ]);
  expect(ask("shop/web", "shop/db", 80).verdict).toBe("denied");
  expect(simulator.warnings).toEqual([
    "Policies of calico are here, and cilium is named as the engine: they may not be in force.",
  ]);
});

test("Where its own engine is named, or none, the policy is in force, and nothing is warned of", () => {
  for (const engine of ["calico", undefined] as const) {
    const { simulator, ask } = createCluster({ pods, policies, settings: { engine } });
    expect(ask("shop/db", "shop/web", 80).verdict).toBe("denied");
    expect(simulator.warnings).toEqual([]);
  }
});
