/** One of each kind of owner, small, with what selects their pods; hollow nodes run any image for ever. */
export const apps = { Deployment: "web", Job: "work", StatefulSet: "store", DaemonSet: "agent", Pod: "alone" } as const;

export type Owner = keyof typeof apps;

/** A List for kubectl: for each app a policy, before there are pods; the workloads; Services of `web` and `store`. */
export function workloads(namespace: string): string {
  const items = [
    ...Object.values(apps).map(policy),
    workload("apps/v1", "Deployment", { replicas: 3, selector: selectorOf("Deployment") }),
    workload("apps/v1", "StatefulSet", { replicas: 2, serviceName: "store", selector: selectorOf("StatefulSet") }),
    workload("apps/v1", "DaemonSet", { selector: selectorOf("DaemonSet") }),
    workload("batch/v1", "Job", {}),
    barePod(),
    service("Deployment"),
    service("StatefulSet"),
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: items.map((item) => inNamespace(namespace, item)) });
}

/** A pod without an owner. */
export function barePod() {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: apps.Pod, labels: labelsOf("Pod") }, spec: podSpec() };
}

function inNamespace(namespace: string, item: { readonly metadata: object }): object {
  return { ...item, metadata: { ...item.metadata, namespace } };
}

/** `team` selects nothing and so stays on the pod. */
function labelsOf(owner: Owner) {
  return { app: apps[owner], team: "shop" };
}

function selectorOf(owner: Owner) {
  return { matchLabels: { app: apps[owner] } };
}

function workload(apiVersion: string, kind: Owner, spec: object) {
  const restartPolicy = kind === "Job" ? "Never" : "Always";
  const template = { metadata: { labels: labelsOf(kind) }, spec: { ...podSpec(), restartPolicy } };
  return { apiVersion, kind, metadata: { name: apps[kind] }, spec: { ...spec, template } };
}

function podSpec() {
  const containers = [{ name: "main", image: "none.invalid/main", command: ["sleep", "infinity"] }];
  return { containers, terminationGracePeriodSeconds: 5 };
}

function service(owner: Owner) {
  const spec = { selector: { app: apps[owner] }, ports: [{ port: 80 }] };
  return { apiVersion: "v1", kind: "Service", metadata: { name: apps[owner] }, spec };
}

function policy(app: string) {
  const ingress = [{ from: [{ podSelector: { matchLabels: { team: "shop" } } }], ports: [{ port: 80 }] }];
  const spec = { podSelector: { matchLabels: { app } }, policyTypes: ["Ingress", "Egress"], ingress };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: `for-${app}` }, spec };
}
