import type { FlowEnd, FlowItem, FlowRecord } from "../../src/flows/record.ts";
import type { Pod } from "../../src/policy/objects.ts";

export const nobody: FlowEnd = {
  address: undefined,
  namespace: undefined,
  pod: undefined,
  workload: undefined,
  names: [],
  entity: undefined,
};

/** 14:00 of a day in November. */
export const noon = Date.UTC(2026, 10, 22, 14);

/** A denied connection of shop/web to shop/db:5432 at `noon`. */
export function aFlow(over: Partial<FlowRecord> = {}): FlowRecord {
  return {
    format: "hubble",
    id: undefined,
    verdict: { kind: "denied", reason: "no-rule" },
    from: { ...nobody, namespace: "shop", workload: { kind: "Deployment", name: "web" } },
    to: { ...nobody, namespace: "shop", workload: { kind: "StatefulSet", name: "db" } },
    protocol: "TCP",
    fromPort: 40_000,
    toPort: 5_432,
    direction: "ingress",
    isReply: undefined,
    isNew: undefined,
    fromMs: noon,
    toMs: noon,
    count: 1,
    unit: "packets",
    atLeast: false,
    policies: [],
    node: undefined,
    dnsQuery: undefined,
    ...over,
  };
}

export function anItem(over: Partial<FlowRecord> = {}): FlowItem {
  return { kind: "flow", record: aFlow(over) };
}

/** A running pod of Deployment web in shop, made an hour before `noon`. */
export function aPod(over: Partial<Pod> = {}): Pod {
  const name = over.name ?? "web-645b68dcf7-abcde";
  return {
    name,
    namespace: "shop",
    uid: `uid of ${name}`,
    resourceVersion: "1",
    labels: { app: "web", "pod-template-hash": "645b68dcf7" },
    annotations: {},
    creationTimestamp: new Date(noon - 3_600_000).toISOString(),
    annotated: true,
    controller: { kind: "ReplicaSet", name: "web-645b68dcf7", uid: "rs" },
    phase: "Running",
    ready: true,
    terminating: false,
    hostNetwork: false,
    critical: false,
    mirror: false,
    nodeName: "node-1",
    podIP: "10.0.0.1",
    podIPs: ["10.0.0.1"],
    hostIP: "192.168.0.1",
    serviceAccount: "default",
    ports: [],
    ...over,
  };
}
