import type { NetworkPolicy, NetworkPolicySpec, Pod, Service, Workload } from "../../src/policy/objects.ts";

/** A ready pod of the ReplicaSet checkout-7d9f in payments, with what the test changes. */
export function aPod(changes: Partial<Pod> = {}): Pod {
  return {
    name: "checkout-7d9f-abcde",
    namespace: "payments",
    uid: "pod-1",
    resourceVersion: "100",
    creationTimestamp: "2026-11-21T00:00:00Z",
    labels: { app: "checkout", "pod-template-hash": "7d9f", team: "core" },
    annotations: {},
    annotated: true,
    controller: { kind: "ReplicaSet", name: "checkout-7d9f", uid: "rs-1" },
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
    ...changes,
  };
}

export function aService(changes: Partial<Service> = {}): Service {
  return {
    name: "checkout",
    namespace: "payments",
    selector: { app: "checkout" },
    ports: [],
    clusterIPs: [],
    ...changes,
  };
}

export function aWorkload(changes: Partial<Workload> = {}): Workload {
  return {
    kind: "ReplicaSet",
    name: "checkout-7d9f",
    namespace: "payments",
    uid: "rs-1",
    selector: { matchLabels: { app: "checkout", "pod-template-hash": "7d9f" } },
    replicas: 3,
    controller: undefined,
    ...changes,
  };
}

export function aPolicy(name: string, spec: NetworkPolicySpec): NetworkPolicy {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "payments" }, spec };
}
