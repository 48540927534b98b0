import { at, isObject, type JsonObject, listAt, objectAt, textAt, textsAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";

/** An object with what the server fills in; `newServiceAddress` gives the next free cluster IP. */
export function withDefaults(object: KubeObject, newServiceAddress: () => string): KubeObject {
  const spec = objectAt(object, "spec");
  switch (object.kind) {
    case "Namespace":
      return namespaceDefaults(object, spec);
    case "NetworkPolicy":
      return { ...object, spec: policyDefaults(spec) };
    case "Pod":
      return {
        ...object,
        spec: podDefaults(spec),
        status: { phase: "Pending", qosClass: "BestEffort", ...objectAt(object, "status") },
      };
    case "Service":
      return {
        ...object,
        spec: serviceDefaults(spec, newServiceAddress),
        status: object["status"] ?? { loadBalancer: {} },
      };
    case "Job":
      return { ...object, spec: jobDefaults(spec, object) };
    case "CustomResourceDefinition":
      return { ...object, status: object["status"] ?? definitionStatus(spec, object.metadata.creationTimestamp) };
    default:
      return { ...object, ...workloadDefaults(object.kind, spec) };
  }
}

/** The label is the server's own since 1.21: a client cannot take it off. */
function namespaceDefaults(object: KubeObject, spec: JsonObject): KubeObject {
  const { metadata } = object;
  const labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name };
  const phase = metadata.deletionTimestamp === undefined ? "Active" : "Terminating";
  return {
    ...object,
    metadata: { ...metadata, labels },
    spec: { finalizers: ["kubernetes"], ...spec },
    status: { ...objectAt(object, "status"), phase },
  };
}

/** policyTypes: Ingress, and Egress only where an egress rule is given (facts: network-policy §1). */
function policyDefaults(spec: JsonObject): JsonObject {
  const types = listAt(spec, "egress").length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  const withPorts = (side: "ingress" | "egress"): JsonObject =>
    spec[side] === undefined ? {} : { [side]: listAt(spec, side).map(ruleDefaults) };
  return {
    podSelector: {},
    policyTypes: types,
    ...spec,
    ...withPorts("ingress"),
    ...withPorts("egress"),
  };
}

function ruleDefaults(rule: unknown): JsonObject {
  const ports = listAt(rule, "ports").map((port) => ({ protocol: "TCP", ...objectAt(port) }));
  return ports.length === 0 ? objectAt(rule) : { ...objectAt(rule), ports };
}

function podDefaults(spec: JsonObject): JsonObject {
  return {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    serviceAccountName: "default",
    schedulerName: "default-scheduler",
    ...spec,
    ...(Array.isArray(spec["containers"]) ? { containers: spec["containers"].map(containerDefaults) } : {}),
  };
}

function containerDefaults(container: unknown): unknown {
  if (!isObject(container)) return container;
  const ports = listAt(container, "ports").map((port) => ({ protocol: "TCP", ...objectAt(port) }));
  return { resources: {}, imagePullPolicy: "IfNotPresent", ...container, ...(ports.length === 0 ? {} : { ports }) };
}

function serviceDefaults(spec: JsonObject, newServiceAddress: () => string): JsonObject {
  const ports = listAt(spec, "ports").map((port) => ({
    protocol: "TCP",
    targetPort: at(port, "port"),
    ...objectAt(port),
  }));
  const addressed = spec["type"] === "ExternalName" || textAt(spec, "clusterIP") !== undefined;
  const clusterIP = addressed ? textAt(spec, "clusterIP") : newServiceAddress();
  return {
    type: "ClusterIP",
    sessionAffinity: "None",
    ...spec,
    ...(ports.length === 0 ? {} : { ports }),
    ...(clusterIP === undefined ? {} : { clusterIP, clusterIPs: [clusterIP] }),
  };
}

function workloadDefaults(kind: string, spec: JsonObject): JsonObject {
  const rolling = { type: "RollingUpdate" };
  const defaults = new Map<string, JsonObject>([
    [
      "Deployment",
      {
        replicas: 1,
        strategy: { ...rolling, rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
        revisionHistoryLimit: 10,
      },
    ],
    ["ReplicaSet", { replicas: 1 }],
    ["ReplicationController", { replicas: 1, selector: textsAt(spec, "template", "metadata", "labels") }],
    [
      "StatefulSet",
      { replicas: 1, updateStrategy: rolling, podManagementPolicy: "OrderedReady", revisionHistoryLimit: 10 },
    ],
    ["DaemonSet", { updateStrategy: rolling, revisionHistoryLimit: 10 }],
  ]).get(kind);
  return defaults === undefined ? {} : { spec: { ...defaults, ...spec } };
}

/** A Job selects its pods by its own uid, which is in the template's labels under the old and the new name. */
function jobDefaults(spec: JsonObject, { metadata }: KubeObject): JsonObject {
  const own = { "controller-uid": metadata.uid, "job-name": metadata.name };
  const labels = {
    ...textsAt(spec, "template", "metadata", "labels"),
    ...own,
    "batch.kubernetes.io/controller-uid": metadata.uid,
    "batch.kubernetes.io/job-name": metadata.name,
  };
  const template = objectAt(spec, "template");
  return {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    selector: { matchLabels: { "batch.kubernetes.io/controller-uid": metadata.uid } },
    ...spec,
    template: { ...template, metadata: { ...objectAt(template, "metadata"), labels } },
  };
}

function definitionStatus(spec: JsonObject, lastTransitionTime: string): JsonObject {
  const condition = (type: string): JsonObject => ({
    type,
    status: "True",
    lastTransitionTime,
    reason: "Accepted",
    message: "accepted",
  });
  const versions = listAt(spec, "versions").filter((version) => at(version, "storage") === true);
  return {
    acceptedNames: objectAt(spec, "names"),
    conditions: [condition("NamesAccepted"), condition("Established")],
    storedVersions: versions.map((version) => textAt(version, "name")),
  };
}
