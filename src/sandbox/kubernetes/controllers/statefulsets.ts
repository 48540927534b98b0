import { at, numberAt, textAt } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import { claimPods, podFrom } from "./claims.ts";
import type { ControllerClient } from "./client.ts";
import { readySince } from "./ranking.ts";

/**
 * StatefulSets: pods with fixed names, one after the other. A pod that was released keeps its name, so that its place
 * cannot be filled and everything behind it waits.
 */
export function reconcileStatefulSets(client: ControllerClient, namespace: string): void {
  for (const set of client.list("StatefulSet", namespace)) {
    if (set.metadata.deletionTimestamp === undefined) reconcileSet(client, set);
  }
}

function reconcileSet(client: ControllerClient, set: KubeObject): void {
  const pods = claimPods(client, set, at(set, "spec", "selector"), (pod) => ordinalOf(set, pod) !== undefined);
  const wanted = numberAt(set, "spec", "replicas") ?? 1;
  const parallel = at(set, "spec", "podManagementPolicy") === "Parallel";
  for (let ordinal = 0; ordinal < wanted; ordinal += 1) {
    const pod = pods.find((each) => ordinalOf(set, each) === ordinal);
    if (pod === undefined) createMember(client, set, ordinal);
    if (!parallel && (pod === undefined || readySince(pod) === undefined)) break;
  }
  const surplus = pods.filter((pod) => (ordinalOf(set, pod) ?? 0) >= wanted);
  for (const pod of surplus) client.remove("Pod", pod);
  const ready = pods.filter((pod) => readySince(pod) !== undefined).length;
  client.status("StatefulSet", set, {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    currentReplicas: pods.length,
    updatedReplicas: pods.length,
    readyReplicas: ready === 0 ? undefined : ready,
    availableReplicas: ready,
    collisionCount: 0,
  });
}

/** Its place in the set, by its name. */
function ordinalOf(set: KubeObject, { metadata }: KubeObject): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = metadata.name.startsWith(prefix) ? metadata.name.slice(prefix.length) : "";
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
}

function createMember(client: ControllerClient, set: KubeObject, ordinal: number): void {
  const name = `${set.metadata.name}-${ordinal}`;
  const labels = { "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": String(ordinal) };
  const serviceName = textAt(set, "spec", "serviceName");
  const spec = { hostname: name, ...(serviceName === undefined ? {} : { subdomain: serviceName }) };
  // Undefined where the name is taken, by a pod that is going or by one that was released: it waits.
  client.create("Pod", set.metadata.namespace ?? "", podFrom(set, { name, labels }, spec));
}
