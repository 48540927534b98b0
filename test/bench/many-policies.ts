import type { RawPolicy } from "../../src/policy/revision.ts";

export const manyPolicies = 5_000;
export const policyNamespaces = 40;

/** A NetworkPolicy of about 2 kB as kubectl apply leaves it; `step` decides its spec. */
export function bulkPolicy(index: number, step: number): RawPolicy {
  const namespace = `bulk-${index % policyNamespaces}`;
  const name = `allow-app-${index}`;
  const apiVersion = "networking.k8s.io/v1";
  const kind = "NetworkPolicy";
  const spec = specOf(index, step);
  const labels = { app: `app-${index % 400}`, team: `team-${index % 20}`, "app.kubernetes.io/managed-by": "Helm" };
  const applied = JSON.stringify({ apiVersion, kind, metadata: { name, namespace, labels }, spec });
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": applied };
  const fieldsV1 = { "f:spec": { "f:egress": {}, "f:ingress": {}, "f:podSelector": {}, "f:policyTypes": {} } };
  const managedFields = [{ manager: "kubectl-client-side-apply", operation: "Update" as const, fieldsV1 }];
  const uid = `0f0f0f0f-0000-4000-8000-${String(index).padStart(12, "0")}`;
  const resourceVersion = `${1_000 + step * manyPolicies + index}`;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels, annotations, uid, resourceVersion, managedFields },
    spec,
  };
}

function specOf(index: number, step: number): RawPolicy["spec"] {
  const app = (of: number) => ({ podSelector: { matchLabels: { app: `app-${of % 400}` } } });
  return {
    podSelector: { matchLabels: { app: `app-${index % 400}` } },
    policyTypes: ["Ingress", "Egress"],
    ingress: [
      { from: [app(index + 1), app(index + 7 * step)], ports: [{ protocol: "TCP", port: 8_080 + step }] },
      { from: [{ namespaceSelector: { matchLabels: { team: `team-${step % 20}` } } }] },
    ],
    egress: [
      { to: [{ ipBlock: { cidr: `10.${index % 250}.${step % 250}.0/24` } }], ports: [{ protocol: "TCP", port: 443 }] },
      {
        to: [{ namespaceSelector: {} }],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ],
  };
}
