import { createHash } from "node:crypto";
import { at, type JsonObject, listAt, objectAt, textAt, textsAt } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import { labelSelector } from "../selectors.ts";
import { isActive } from "./claims.ts";
import { type ControllerClient, ownerReference } from "./client.ts";
import { readySince } from "./ranking.ts";

/** Marks the Endpoints that are the controller's own: these go with their Service. */
const managed = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };

/** Endpoints and one EndpointSlice for every Service with a selector, with the pods that it selects now. */
export function reconcileEndpoints(client: ControllerClient, namespace: string): void {
  const services = client
    .list("Service", namespace)
    .filter((service) => Object.keys(textsAt(service, "spec", "selector")).length > 0);
  const names = new Set(services.map(({ metadata }) => metadata.name));
  for (const endpoints of client.list("Endpoints", namespace)) {
    const own = endpoints.metadata.labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller";
    if (own && !names.has(endpoints.metadata.name)) client.remove("Endpoints", endpoints);
  }
  const pods = services.length === 0 ? [] : client.list("Pod", namespace).filter(isActive);
  for (const service of services) reconcileService(client, service, pods);
}

function reconcileService(client: ControllerClient, service: KubeObject, pods: readonly KubeObject[]): void {
  const selects = labelSelector({ matchLabels: textsAt(service, "spec", "selector") });
  const chosen = pods.filter(
    (pod) => selects(pod.metadata.labels ?? {}) && textAt(pod, "status", "podIP") !== undefined,
  );
  const groups = new Map<string, { ports: JsonObject[]; pods: KubeObject[] }>();
  for (const pod of chosen) {
    const ports = portsOf(service, pod);
    const group = groups.get(JSON.stringify(ports)) ?? { ports, pods: [] };
    group.pods.push(pod);
    groups.set(JSON.stringify(ports), group);
  }
  writeEndpoints(client, service, [...groups.values()].map(subset));
  writeSlice(client, service, chosen);
}

/** The Service's ports as this pod has them: a named target port is looked up in its containers. */
function portsOf(service: KubeObject, pod: KubeObject): JsonObject[] {
  const named = listAt(pod, "spec", "containers").flatMap((container) => listAt(container, "ports"));
  return listAt(service, "spec", "ports").flatMap((port) => {
    const target = at(port, "targetPort");
    const found =
      typeof target === "string"
        ? at(
            named.find((each) => at(each, "name") === target),
            "containerPort",
          )
        : target;
    const name = textAt(port, "name");
    return typeof found === "number"
      ? [{ ...(name === undefined ? {} : { name }), port: found, protocol: at(port, "protocol") }]
      : [];
  });
}

function subset({ ports, pods }: { ports: JsonObject[]; pods: KubeObject[] }): JsonObject {
  const addresses = (ready: boolean): JsonObject[] =>
    pods
      .filter((pod) => (readySince(pod) !== undefined) === ready)
      .map((pod) => ({
        ip: textAt(pod, "status", "podIP"),
        nodeName: textAt(pod, "spec", "nodeName"),
        targetRef: reference(pod),
      }));
  const [up, down] = [addresses(true), addresses(false)];
  return {
    ...(up.length === 0 ? {} : { addresses: up }),
    ...(down.length === 0 ? {} : { notReadyAddresses: down }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function writeEndpoints(client: ControllerClient, service: KubeObject, subsets: readonly JsonObject[]): void {
  const { name, namespace = "", labels } = service.metadata;
  const existing = client.get("Endpoints", namespace, name);
  const content = subsets.length === 0 ? { subsets: undefined } : { subsets };
  if (existing === undefined)
    client.create("Endpoints", namespace, { metadata: { name, labels: { ...labels, ...managed } }, ...content });
  else client.update("Endpoints", existing, { ...existing, ...content });
}

function writeSlice(client: ControllerClient, service: KubeObject, pods: readonly KubeObject[]): void {
  const { name, namespace = "", uid } = service.metadata;
  const suffix = createHash("sha256").update(uid).digest("hex").slice(0, 5);
  const existing = client.get("EndpointSlice", namespace, `${name}-${suffix}`);
  const labels = {
    "kubernetes.io/service-name": name,
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  };
  const metadata = { name: `${name}-${suffix}`, labels, ownerReferences: [ownerReference(service)] };
  const first = pods[0];
  const content = {
    addressType: "IPv4",
    endpoints: pods.map(endpoint),
    ports: first === undefined ? [] : portsOf(service, first),
  };
  if (existing === undefined) client.create("EndpointSlice", namespace, { metadata, ...content });
  else client.update("EndpointSlice", existing, { ...existing, ...content });
}

function endpoint(pod: KubeObject): JsonObject {
  const ready = readySince(pod) !== undefined;
  return {
    addresses: [textAt(pod, "status", "podIP")],
    conditions: { ready, serving: ready, terminating: false },
    nodeName: textAt(pod, "spec", "nodeName"),
    targetRef: reference(pod),
  };
}

function reference({ metadata }: KubeObject): JsonObject {
  return objectAt({ kind: "Pod", namespace: metadata.namespace, name: metadata.name, uid: metadata.uid });
}
