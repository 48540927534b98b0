import { at, type JsonObject, listAt, numberAt, objectAt, textAt, textsAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";

type Column = { readonly name: string; readonly cell: (object: KubeObject, now: number) => string | number };

/** The objects as meta.k8s.io/v1 Table, with the columns that kubectl shows for their kind. */
export function asTable(objects: readonly KubeObject[], metadata: JsonObject, now: number): JsonObject {
  const columns = [nameColumn, ...(columnsOf.get(objects[0]?.kind ?? "") ?? []), ageColumn];
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns.map(({ name }) => ({
      name,
      type: "string",
      format: name === "Name" ? "name" : "",
      description: "",
      // Shown with -o wide only.
      priority: wide.has(name) ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, now)),
      object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata },
    })),
  };
}

const wide = new Set(["IP", "Node", "Selector"]);
const nameColumn: Column = { name: "Name", cell: ({ metadata }) => metadata.name };
const ageColumn: Column = {
  name: "Age",
  cell: ({ metadata }, now) => age(now - Date.parse(metadata.creationTimestamp)),
};

const count =
  (field: string) =>
  (object: KubeObject): number =>
    numberAt(object, "status", field) ?? 0;

const columnsOf = new Map<string, readonly Column[]>([
  [
    "Pod",
    [
      { name: "Ready", cell: readyContainers },
      { name: "Status", cell: podStatus },
      {
        name: "Restarts",
        cell: (pod) =>
          containerStatuses(pod).reduce<number>((sum, each) => sum + (numberAt(each, "restartCount") ?? 0), 0),
      },
      { name: "IP", cell: (pod) => textAt(pod, "status", "podIP") ?? "<none>" },
      { name: "Node", cell: (pod) => textAt(pod, "spec", "nodeName") ?? "<none>" },
    ],
  ],
  [
    "NetworkPolicy",
    [{ name: "Pod-Selector", cell: (policy) => selectorText(objectAt(policy, "spec", "podSelector")) }],
  ],
  ["Namespace", [{ name: "Status", cell: (namespace) => textAt(namespace, "status", "phase") ?? "" }]],
  [
    "Node",
    [
      { name: "Status", cell: () => "Ready" },
      { name: "Version", cell: (node) => textAt(node, "status", "nodeInfo", "kubeletVersion") ?? "" },
    ],
  ],
  [
    "Deployment",
    [
      {
        name: "Ready",
        cell: (deployment) => `${count("readyReplicas")(deployment)}/${numberAt(deployment, "spec", "replicas") ?? 0}`,
      },
      { name: "Up-to-date", cell: count("updatedReplicas") },
      { name: "Available", cell: count("availableReplicas") },
    ],
  ],
  [
    "ReplicaSet",
    [
      { name: "Desired", cell: (set) => numberAt(set, "spec", "replicas") ?? 0 },
      { name: "Current", cell: count("replicas") },
      { name: "Ready", cell: count("readyReplicas") },
    ],
  ],
  [
    "StatefulSet",
    [{ name: "Ready", cell: (set) => `${count("readyReplicas")(set)}/${numberAt(set, "spec", "replicas") ?? 0}` }],
  ],
  [
    "DaemonSet",
    [
      { name: "Desired", cell: count("desiredNumberScheduled") },
      { name: "Current", cell: count("currentNumberScheduled") },
      { name: "Ready", cell: count("numberReady") },
    ],
  ],
  [
    "Job",
    [{ name: "Completions", cell: (job) => `${count("succeeded")(job)}/${numberAt(job, "spec", "completions") ?? 1}` }],
  ],
  [
    "Service",
    [
      { name: "Type", cell: (service) => textAt(service, "spec", "type") ?? "" },
      { name: "Cluster-IP", cell: (service) => textAt(service, "spec", "clusterIP") ?? "<none>" },
      { name: "Port(s)", cell: (service) => listAt(service, "spec", "ports").map(portText).join(",") },
      { name: "Selector", cell: (service) => selectorText({ matchLabels: at(service, "spec", "selector") }) },
    ],
  ],
  ["Endpoints", [{ name: "Endpoints", cell: (endpoints) => addresses(endpoints).join(",") || "<none>" }]],
  [
    "Event",
    [
      { name: "Type", cell: (event) => textAt(event, "type") ?? "" },
      { name: "Reason", cell: (event) => textAt(event, "reason") ?? "" },
      { name: "Message", cell: (event) => textAt(event, "message") ?? textAt(event, "note") ?? "" },
    ],
  ],
  ["ConfigMap", [{ name: "Data", cell: (map) => Object.keys(objectAt(map, "data")).length }]],
  ["Lease", [{ name: "Holder", cell: (lease) => textAt(lease, "spec", "holderIdentity") ?? "" }]],
]);

/** `5s`, `12m`, `3h`, `2d`: one unit, as a glance needs. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function containerStatuses(pod: KubeObject): readonly unknown[] {
  return listAt(pod, "status", "containerStatuses");
}

function readyContainers(pod: KubeObject): string {
  const ready = containerStatuses(pod).filter((each) => at(each, "ready") === true).length;
  return `${ready}/${listAt(pod, "spec", "containers").length}`;
}

function podStatus(pod: KubeObject): string {
  return pod.metadata.deletionTimestamp === undefined ? (textAt(pod, "status", "phase") ?? "Unknown") : "Terminating";
}

function selectorText(selector: JsonObject): string {
  const pairs = Object.entries(textsAt(selector, "matchLabels")).map(([key, value]) => `${key}=${value}`);
  const expressions = listAt(selector, "matchExpressions").map((each) => {
    const values = listAt(each, "values").join(",");
    return `${textAt(each, "key")} ${textAt(each, "operator")?.toLowerCase()}${values === "" ? "" : ` (${values})`}`;
  });
  return [...pairs, ...expressions].join(",") || "<none>";
}

function portText(port: unknown): string {
  return `${numberAt(port, "port") ?? ""}/${textAt(port, "protocol") ?? "TCP"}`;
}

function addresses(endpoints: KubeObject): string[] {
  return listAt(endpoints, "subsets").flatMap((subset) => {
    const ports = listAt(subset, "ports").map((port) => numberAt(port, "port") ?? 0);
    return listAt(subset, "addresses").map((address) => `${textAt(address, "ip")}:${ports.join(",")}`);
  });
}
