import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { type SandboxCluster, startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { json, startScriptedApi, status } from "./scripted-api.ts";

let sandbox: SandboxCluster;
let cluster: Cluster;

beforeAll(async () => {
  sandbox = await startSandboxCluster();
  const connection = createConnection({ source: { kind: "text", text: sandbox.kubeconfig }, now: Date.now });
  cluster = await createCluster("sandbox", connection, { now: Date.now, watch: false });
  sandbox.apply(
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "shop", labels: { "istio.io/dataplane-mode": "ambient" } },
    },
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "web", namespace: "shop", annotations: { "iam.gke.io/gcp-service-account": "web@p" } },
    },
    pod,
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "web", namespace: "shop" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
      status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
    },
    binding("RoleBinding", { name: "edit", namespace: "shop" }, "ClusterRole"),
    binding("RoleBinding", { name: "elsewhere", namespace: "default" }, "Role"),
    binding("ClusterRoleBinding", { name: "view" }, "ClusterRole"),
  );
});

afterAll(async () => {
  await cluster.close();
  await sandbox.close();
});

function binding(kind: string, metadata: { name: string; namespace?: string }, role: string): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: role, name: metadata.name },
    subjects: [{ kind: "ServiceAccount", name: "web", namespace: "shop" }],
  };
}

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop", labels: { app: "web" } },
  spec: {
    serviceAccountName: "web",
    imagePullSecrets: [{ name: "registry" }],
    initContainers: [{ name: "init", image: "x", envFrom: [{ secretRef: { name: "bootstrap" } }] }],
    containers: [
      {
        name: "main",
        image: "x",
        ports: [{ name: "http", containerPort: 8080 }, { containerPort: 6060 }],
        livenessProbe: { httpGet: { path: "/", port: "http" } },
        readinessProbe: { exec: { command: ["true"] } },
        env: [{ name: "KEY", valueFrom: { secretKeyRef: { name: "stripe", key: "key" } } }],
      },
    ],
    volumes: [
      { name: "db", secret: { secretName: "db" } },
      {
        name: "token",
        projected: {
          sources: [
            { serviceAccountToken: { path: "token" } },
            { serviceAccountToken: { path: "aws", audience: "sts.amazonaws.com" } },
            { secret: { name: "extra" } },
          ],
        },
      },
      {
        name: "store",
        csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "vault" } },
      },
    ],
  },
  status: { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] },
};

test("All that a plan says of a pod beside policies is read: by name, never a Secret", async () => {
  const { pods, budgets, accounts, bindings, namespaceLabels, unread } = await cluster.surroundings("shop", ["web-1"]);
  expect(unread).toEqual([]);
  expect(pods).toEqual([
    {
      name: "web-1",
      probes: [
        { container: "main", kind: "liveness", by: "http", port: "http" },
        { container: "main", kind: "readiness", by: "exec", port: undefined },
      ],
      mesh: "inherited",
      secrets: [
        { name: "db", where: "volume" },
        { name: "extra", where: "volume" },
        { name: "bootstrap", where: "environment" },
        { name: "stripe", where: "environment" },
      ],
      secretStores: ["vault"],
      pullSecrets: ["registry"],
      serviceAccount: "web",
      tokens: ["", "sts.amazonaws.com"],
      ports: [
        { name: "http", protocol: "TCP", port: 8080 },
        { name: undefined, protocol: "TCP", port: 6060 },
      ],
      addresses: ["10.0.0.1", "fd00::1"],
    },
  ]);
  expect(budgets).toEqual([
    { name: "web", selector: { matchLabels: { app: "web" } }, allowed: 1, healthy: 2, desired: 1 },
  ]);
  expect(accounts).toEqual([{ name: "web", annotations: { "iam.gke.io/gcp-service-account": "web@p" } }]);
  expect(bindings.map(({ role, namespace, builtIn }) => [role, namespace, builtIn])).toEqual([
    ["ClusterRole edit", "shop", false],
    ["ClusterRole view", undefined, false],
  ]);
  expect(namespaceLabels).toMatchObject({ "istio.io/dataplane-mode": "ambient" });
});

test.each([
  [{ metadata: { annotations: { "ambient.istio.io/redirection": "enabled" } } }, "istio-ambient"],
  [{ metadata: { labels: { "istio.io/dataplane-mode": "ambient" } } }, "istio-ambient"],
  [{ metadata: { labels: { "istio.io/dataplane-mode": "none" } } }, undefined],
  [{ spec: { containers: [{ name: "main" }, { name: "linkerd-proxy" }] } }, "linkerd"],
  [{ spec: { initContainers: [{ name: "istio-proxy", restartPolicy: "Always" }] } }, "istio-sidecar"],
  [{}, "inherited"],
])("A pod with %j is in mesh %s", async (raw, mesh) => {
  await using api = await startScriptedApi((_seen, response) => json(response, raw));
  const scripted = await createCluster("scripted", api.connect(), { now: Date.now, watch: false });
  expect((await scripted.surroundings("shop", ["web-1"])).pods[0]?.mesh).toBe(mesh);
});

test("A token that is mounted as a Secret, as before Kubernetes 1.21, is known for one", async () => {
  const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
  const volumes = [{ name: "default-token-x", secret: { secretName: "default-token-x" } }];
  const containers = [{ name: "main", volumeMounts: [{ name: "default-token-x", mountPath }] }];
  await using api = await startScriptedApi((_seen, response) => json(response, { spec: { volumes, containers } }));
  const scripted = await createCluster("scripted", api.connect(), { now: Date.now, watch: false });
  expect((await scripted.surroundings("shop", ["web-1"])).pods[0]?.tokens).toEqual([""]);
});

test("What may not be read is named, and the rest is read all the same", async () => {
  await using api = await startScriptedApi(({ path }, response) => {
    if (path.includes("rolebindings")) return status(response, 403, "Forbidden");
    return json(response, path.endsWith("/web-1") ? pod : { items: [] });
  });
  const scripted = await createCluster("scripted", api.connect(), { now: Date.now, watch: false });
  const { pods, unread } = await scripted.surroundings("shop", ["web-1"]);
  expect(pods.map(({ serviceAccount }) => serviceAccount)).toEqual(["web"]);
  expect(unread.map(({ what }) => what).toSorted()).toEqual([
    "clusterrolebindings.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
  ]);
});
