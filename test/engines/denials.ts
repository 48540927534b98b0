import type { Denial } from "../../src/engines/denial.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";

/** A denial in namespace shop, of operation q-1, with what the test changes. */
export function aDenial(changes: Partial<Denial> = {}): Denial {
  return {
    operation: "q-1",
    namespace: "shop",
    subject: { matchLabels: { "bulkhead.dev/quarantine": "q-1" } },
    endpoints: [],
    labels: { "bulkhead.dev/operation": "q-1" },
    annotations: { "bulkhead.dev/reason": "beacon" },
    ...changes,
  };
}

const vault = {
  name: "vault",
  purpose: "forensics",
  peer: {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "forensics" } },
    podSelector: { matchLabels: { app: "vault" } },
  },
  ports: [{ port: 8443 }],
} as const;

/** Forensics in both directions, monitoring with a range and another protocol, and a collector outside. */
export const someEndpoints: readonly Endpoint[] = [
  { ...vault, direction: "ingress" },
  { ...vault, direction: "egress" },
  {
    name: "prometheus",
    purpose: "monitoring",
    direction: "ingress",
    peer: { namespaceSelector: { matchLabels: { team: "ops" } }, podSelector: { matchLabels: { app: "prometheus" } } },
    ports: [
      { port: 9090, endPort: 9100 },
      { protocol: "UDP", port: 53 },
    ],
  },
  {
    name: "siem",
    purpose: "forensics",
    direction: "egress",
    peer: { ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.128/25"] } },
    ports: [{ protocol: "TCP", port: 514 }],
  },
];

/** As a workload's quarantine has it: its own selector, and not what is in quarantine by itself. */
export const ofWorkload: Denial["subject"] = {
  matchLabels: { app: "checkout" },
  matchExpressions: [
    { key: "tier", operator: "In", values: ["web", "api"] },
    { key: "track", operator: "NotIn", values: ["canary"] },
    { key: "team", operator: "Exists" },
    { key: "bulkhead.dev/quarantine", operator: "DoesNotExist" },
  ],
};

/** As a lockdown has it. */
export const ofNamespace: Denial["subject"] = {
  matchExpressions: [{ key: "bulkhead.dev/quarantine", operator: "DoesNotExist" }],
};
