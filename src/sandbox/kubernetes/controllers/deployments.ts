import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { at, type JsonObject, numberAt, objectAt, textsAt } from "../json.ts";
import { controllerOf, type KubeObject, timestamp } from "../objects.ts";
import { type ControllerClient, ownerReference } from "./client.ts";

const revision = "deployment.kubernetes.io/revision";

/** Deployments: one ReplicaSet a template. A rollout happens at once: the new set is filled and the old ones emptied. */
export function reconcileDeployments(client: ControllerClient, namespace: string): void {
  for (const deployment of client.list("Deployment", namespace)) {
    if (deployment.metadata.deletionTimestamp === undefined) reconcileDeployment(client, deployment);
  }
}

function reconcileDeployment(client: ControllerClient, deployment: KubeObject): void {
  const namespace = deployment.metadata.namespace ?? "";
  const sets = client.list("ReplicaSet", namespace).filter((set) => controllerOf(set)?.uid === deployment.metadata.uid);
  const template = objectAt(deployment, "spec", "template");
  const current = sets.find((set) => isDeepStrictEqual(plainTemplate(set), template));
  const replicas = numberAt(deployment, "spec", "replicas") ?? 1;
  if (current === undefined) {
    const number = Math.max(0, ...sets.map((set) => Number(set.metadata.annotations?.[revision] ?? 0))) + 1;
    client.create("ReplicaSet", namespace, newSet(deployment, number, replicas));
  }
  for (const set of sets) scale(client, set, set === current ? replicas : 0);
  const owned = client
    .list("ReplicaSet", namespace)
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid);
  writeStatus(client, deployment, owned, current);
}

function newSet(deployment: KubeObject, number: number, replicas: number): { metadata: JsonObject; spec: JsonObject } {
  const template = objectAt(deployment, "spec", "template");
  const hash = templateHash(template);
  const labels = { ...textsAt(template, "metadata", "labels"), "pod-template-hash": hash };
  const selector = objectAt(deployment, "spec", "selector");
  return {
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      labels,
      annotations: { [revision]: String(number), "deployment.kubernetes.io/desired-replicas": String(replicas) },
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...textsAt(selector, "matchLabels"), "pod-template-hash": hash } },
      template: { ...template, metadata: { ...objectAt(template, "metadata"), labels } },
    },
  };
}

/** Ten letters and digits that depend on nothing but the template. */
function templateHash(template: JsonObject): string {
  const digest = createHash("sha256").update(JSON.stringify(template)).digest();
  return [...digest.subarray(0, 10)].map((byte) => "bcdfghjklmnpqrstvwxz2456789"[byte % 27]).join("");
}

function plainTemplate(set: KubeObject): JsonObject {
  const template = objectAt(set, "spec", "template");
  const { "pod-template-hash": _, ...labels } = textsAt(template, "metadata", "labels");
  return { ...template, metadata: { ...objectAt(template, "metadata"), labels } };
}

function scale(client: ControllerClient, set: KubeObject, replicas: number): void {
  if (numberAt(set, "spec", "replicas") === replicas) return;
  client.update("ReplicaSet", set, { ...set, spec: { ...objectAt(set, "spec"), replicas } });
}

function writeStatus(
  client: ControllerClient,
  deployment: KubeObject,
  sets: readonly KubeObject[],
  current: KubeObject | undefined,
): void {
  const sum = (field: string): number => sets.reduce((total, set) => total + (numberAt(set, "status", field) ?? 0), 0);
  const wanted = numberAt(deployment, "spec", "replicas") ?? 1;
  const ready = sum("readyReplicas");
  const updated = sets.find((set) => set.metadata.uid === current?.metadata.uid);
  const positive = (counts: Record<string, number>): JsonObject =>
    Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, count > 0 ? count : undefined]));
  client.status("Deployment", deployment, {
    observedGeneration: deployment.metadata.generation,
    ...positive({
      replicas: sum("replicas"),
      updatedReplicas: numberAt(updated, "status", "replicas") ?? 0,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: wanted - ready,
    }),
    conditions: conditions(client, deployment, ready >= wanted),
  });
}

function conditions(client: ControllerClient, deployment: KubeObject, available: boolean): JsonObject[] {
  const status = available ? "True" : "False";
  const before = at(deployment, "status", "conditions");
  const old = Array.isArray(before) ? before.find((each) => at(each, "type") === "Available") : undefined;
  const unchanged = at(old, "status") === status;
  const time = unchanged ? at(old, "lastTransitionTime") : timestamp(client.now());
  const reason = available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable";
  const message = available ? "Deployment has minimum availability." : "Deployment does not have minimum availability.";
  return [{ type: "Available", status, lastTransitionTime: time, lastUpdateTime: time, reason, message }];
}
