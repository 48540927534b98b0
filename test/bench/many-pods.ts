export const manyPods = 10_000;
const namespaces = 40;

/** Namespaces and in them 10 000 pods of about 5 kB each, as Deployments, a mesh and a network plugin leave them. */
export function manyObjects(): readonly object[] {
  const spaces = Array.from({ length: namespaces }, (_, index) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: `bulk-${index}` },
  }));
  return [...spaces, ...Array.from({ length: manyPods }, (_, index) => bulkPod(index, `bulk-${index % namespaces}`))];
}

/** A pod that no scheduler takes; 25 of them share an app, so that most of their strings are the same. */
export function bulkPod(index: number, namespace: string): object {
  const app = `app-${index % 400}`;
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: `${app}-7d9f8b6c5d`, uid: uidOf(index % 400) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${app}-7d9f8b6c5d-${index.toString(36).padStart(5, "x")}`,
      namespace,
      labels: labelsOf(app, index),
      annotations: {
        "prometheus.io/scrape": "true",
        "checksum/config": "a".repeat(64),
        "sidecar.example.com/status": JSON.stringify({ containers: ["proxy"], volumes: Array(20).fill("envoy-data") }),
      },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: { schedulerName: "none", terminationGracePeriodSeconds: 0, containers: containersOf(app) },
    status: {
      phase: "Running",
      podIP: `10.1.${index >> 8}.${index & 255}`,
      conditions,
      containerStatuses: statusesOf(app),
    },
  };
}

function uidOf(index: number): string {
  return `0f0f0f0f-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

function labelsOf(app: string, index: number): Record<string, string> {
  return {
    app,
    "app.kubernetes.io/name": app,
    "app.kubernetes.io/instance": `${app}-prod`,
    "app.kubernetes.io/version": "1.2.3",
    "app.kubernetes.io/managed-by": "Helm",
    "pod-template-hash": "7d9f8b6c5d",
    team: `team-${index % 20}`,
  };
}

function containersOf(app: string): readonly object[] {
  const env = Array.from({ length: 12 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `value-${index}-of-${app}`,
  }));
  const resources = { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } };
  return [
    { name: "main", image: `registry.example.com/${app}:1.2.3`, env, resources, ports: [{ containerPort: 8080 }] },
    { name: "proxy", image: "registry.example.com/proxy:4.5.6", env, resources },
  ];
}

const conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
  type,
  status: "True",
  lastProbeTime: null,
  lastTransitionTime: "2026-11-21T00:00:00Z",
}));

function statusesOf(app: string): readonly object[] {
  return ["main", "proxy"].map((name) => ({
    name,
    ready: true,
    restartCount: 0,
    started: true,
    image: `registry.example.com/${app}:1.2.3`,
    imageID: `registry.example.com/${app}@sha256:${"b".repeat(64)}`,
    containerID: `containerd://${"c".repeat(64)}`,
    state: { running: { startedAt: "2026-11-21T00:00:00Z" } },
  }));
}
