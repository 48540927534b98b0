import { expect, test } from "vitest";
import { parseNamespace, parsePod, parsePolicy, parseService } from "../../src/kubernetes/parse.ts";
import { parseWorkload } from "../../src/kubernetes/workloads.ts";

const metadata = {
  name: "web-1",
  namespace: "shop",
  uid: "u1",
  resourceVersion: "5",
  creationTimestamp: "2026-11-21T04:00:00Z",
};

test("A pod keeps what decisions need", () => {
  const raw = {
    metadata: {
      ...metadata,
      labels: { app: "web" },
      annotations: {
        "bulkhead.dev/reason": "x",
        "controller.kubernetes.io/pod-deletion-cost": "5",
        "other.io/large": "…",
      },
      ownerReferences: [
        { kind: "Node", name: "n", uid: "o0" },
        { kind: "ReplicaSet", name: "web", uid: "o1", controller: true, apiVersion: "apps/v1" },
      ],
      managedFields: [{}],
    },
    spec: {
      nodeName: "node-1",
      priorityClassName: "system-node-critical",
      serviceAccountName: "web",
      containers: [
        {},
        {
          ports: [
            { name: "http", containerPort: 8080, protocol: "TCP" },
            { containerPort: 9000 },
            { name: "dns", containerPort: 53, protocol: "UDP" },
          ],
        },
      ],
    },
    status: {
      phase: "Running",
      podIP: "10.0.0.7",
      podIPs: [{ ip: "10.0.0.7" }, { ip: "fd00::7" }],
      hostIP: "192.168.0.4",
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
  expect(parsePod(raw)).toEqual({
    ...metadata,
    labels: { app: "web" },
    annotations: { "bulkhead.dev/reason": "x", "controller.kubernetes.io/pod-deletion-cost": "5" },
    annotated: true,
    controller: { kind: "ReplicaSet", name: "web", uid: "o1" },
    phase: "Running",
    ready: true,
    terminating: false,
    hostNetwork: false,
    critical: true,
    mirror: false,
    nodeName: "node-1",
    podIP: "10.0.0.7",
    podIPs: ["10.0.0.7", "fd00::7"],
    hostIP: "192.168.0.4",
    serviceAccount: "web",
    ports: [
      { name: "http", protocol: "TCP", port: 8080 },
      { name: "dns", protocol: "UDP", port: 53 },
    ],
  });
});

test("The ports of a sidecar are the pod's, those of an init container that ends are not", () => {
  const ports = [{ name: "metrics", containerPort: 9090 }];
  const initContainers = [{ ports: [{ name: "early", containerPort: 1 }] }, { restartPolicy: "Always", ports }];
  expect(parsePod({ metadata, spec: { containers: [], initContainers } }).ports).toEqual([
    { name: "metrics", protocol: "TCP", port: 9090 },
  ]);
});

test("A static pod's mirror, a host-network pod and a terminating pod are known as such", () => {
  const raw = {
    metadata: {
      ...metadata,
      annotations: { "kubernetes.io/config.mirror": "h" },
      deletionTimestamp: "2026-11-21T04:00:00Z",
    },
    spec: { hostNetwork: true },
    status: { conditions: [{ type: "Ready", status: "False" }] },
  };
  expect(parsePod(raw)).toMatchObject({
    mirror: true,
    hostNetwork: true,
    terminating: true,
    ready: false,
    phase: "Unknown",
  });
});

test("A pod of which nothing else is known has neither labels nor controller", () => {
  expect(parsePod({ metadata })).toMatchObject({
    labels: {},
    annotations: {},
    annotated: false,
    controller: undefined,
    podIPs: [],
    serviceAccount: "default",
    ports: [],
  });
});

test("A policy is untouched but for managedFields and kubectl's copy of it", () => {
  const spec = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }], later: { field: 1 } };
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", mine: "1" };
  const raw = { metadata: { ...metadata, annotations, generation: 2, managedFields: [{}] }, spec };
  expect(parsePolicy(raw)).toEqual({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { ...metadata, annotations: { mine: "1" }, generation: 2 },
    spec,
  });
});

test("A Service without a selector selects nothing", () => {
  expect(parseService({ metadata, spec: {} }).selector).toEqual({});
  expect(parseService({ metadata, spec: { selector: { app: "web" } } }).selector).toEqual({ app: "web" });
});

test("A Service of type ExternalName selects nothing, and keeps the name that it stands for", () => {
  const spec = { type: "ExternalName", externalName: "db.example.com", selector: { app: "web" } };
  expect(parseService({ metadata, spec })).toMatchObject({ selector: {}, externalName: "db.example.com" });
});

test("A Service keeps its ports, to which targets, and its own addresses", () => {
  const ports = [
    { name: "db", port: 5432, targetPort: "pg", protocol: "TCP" },
    { port: 53, protocol: "UDP" },
  ];
  const parsed = parseService({
    metadata,
    spec: { ports, clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "fd00::9"] },
  });
  expect(parsed.ports).toEqual([
    { name: "db", protocol: "TCP", port: 5432, targetPort: "pg" },
    { name: undefined, protocol: "UDP", port: 53, targetPort: 53 },
  ]);
  expect(parsed.clusterIPs).toEqual(["10.96.0.9", "fd00::9"]);
  expect(parsed.headless).toBeUndefined();
  const none = { ports: [], clusterIPs: [], headless: true };
  expect(parseService({ metadata, spec: { clusterIP: "None" } })).toMatchObject(none);
});

test("A namespace with a deletionTimestamp is terminating", () => {
  expect(parseNamespace({ metadata: { name: "shop", deletionTimestamp: "2026-11-21T04:00:00Z" } })).toEqual({
    name: "shop",
    labels: {},
    terminating: true,
  });
});

test("A workload says how many replicas it wants, in the way of its kind", () => {
  const selector = { matchLabels: { app: "web" } };
  const wanted = (kind: Parameters<typeof parseWorkload>[0], spec: object) =>
    parseWorkload(kind, { metadata, spec: { selector, ...spec } }).replicas;
  expect(wanted("Deployment", { replicas: 3 })).toBe(3);
  expect(wanted("StatefulSet", { replicas: 0 })).toBe(0);
  expect(wanted("ReplicaSet", {})).toBe(1);
  expect(wanted("Job", { completions: 4, replicas: 9 })).toBe(4);
  expect(wanted("Job", { completions: null })).toBe(1);
  expect(wanted("DaemonSet", { replicas: 9 })).toBeUndefined();
});

test("A ReplicationController's selector is a plain map, and a missing selector selects nothing", () => {
  const controller = parseWorkload("ReplicationController", { metadata, spec: { selector: { app: "web" } } });
  expect(controller.selector).toEqual({ matchLabels: { app: "web" } });
  expect(parseWorkload("Deployment", { metadata, spec: {} }).selector).not.toEqual({});
});
