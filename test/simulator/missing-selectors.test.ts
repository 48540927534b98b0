import { expect, test } from "vitest";
import { createCluster } from "./cluster.ts";

const pods = {
  "a/web": { labels: { app: "web" } },
  "b/db": { labels: { app: "db" } },
  "b/web": { labels: { app: "web" } },
};

test("In an AdminNetworkPolicy, pods without a podSelector are all pods of those namespaces, and the answer says so", () => {
  const policies = `
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: one }
spec:
  priority: 1
  subject: { pods: { podSelector: { matchLabels: { app: web } } } }
  egress:
    - { action: Deny, to: [{ pods: { namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: b } } } }] }
`;
  const { ask } = createCluster({ pods, policies });
  // b/db and b/web are all the pods of b; the subject, without a namespaceSelector, is the web of both namespaces.
  expect(ask("a/web", "b/db", 80).verdict).toBe("denied");
  expect(ask("b/web", "b/db", 80).verdict).toBe("denied");
  expect(ask("b/db", "b/web", 80).verdict).toBe("allowed");
  expect(ask("b/web", "a/web", 80).verdict).toBe("allowed");
  expect(ask("a/web", "b/db", 80).egress.notEvaluated.map(({ what }) => what)).toEqual([
    "pods without namespaceSelector, which the API server asks for: taken for an empty one, which selects all",
    "pods without podSelector, which the API server asks for: taken for an empty one, which selects all",
  ]);
});
