import { at, numberAt } from "../json.ts";
import { controllerOf, type KubeObject } from "../objects.ts";
import { labelSelector } from "../selectors.ts";
import { claimPods, isActive, podFrom } from "./claims.ts";
import type { ControllerClient } from "./client.ts";
import { inDeletionOrder, readySince } from "./ranking.ts";

/** ReplicaSets and ReplicationControllers: as many pods as wanted, no more and no fewer. */
export function reconcileReplicas(client: ControllerClient, namespace: string): void {
  for (const kind of ["ReplicaSet", "ReplicationController"]) {
    for (const set of client.list(kind, namespace)) reconcileSet(client, kind, set);
  }
}

function reconcileSet(client: ControllerClient, kind: string, set: KubeObject): void {
  const selector = at(set, "spec", "selector");
  // A ReplicationController's selector is a plain map.
  const pods = claimPods(client, set, kind === "ReplicaSet" ? selector : { matchLabels: selector });
  const wanted = numberAt(set, "spec", "replicas") ?? 1;
  if (set.metadata.deletionTimestamp !== undefined) return;
  const surplus = pods.length - wanted;
  for (const pod of inDeletionOrder(pods, siblingsOf(client, set, pods), client.now()).slice(0, Math.max(0, surplus))) {
    client.remove("Pod", pod);
  }
  for (let missing = -surplus; missing > 0; missing -= 1) {
    client.create("Pod", set.metadata.namespace ?? "", podFrom(set, { generateName: `${set.metadata.name}-` }));
  }
  const ready = pods.filter((pod) => readySince(pod) !== undefined).length;
  const counts = ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready };
  client.status(kind, set, {
    replicas: pods.length,
    fullyLabeledReplicas: pods.length,
    observedGeneration: set.metadata.generation,
    readyReplicas: undefined,
    availableReplicas: undefined,
    ...counts,
  });
}

/** The active pods of all ReplicaSets of the same Deployment: crowded nodes are relieved first. */
function siblingsOf(client: ControllerClient, set: KubeObject, own: readonly KubeObject[]): readonly KubeObject[] {
  const controller = controllerOf(set);
  if (controller === undefined) return own;
  const namespace = set.metadata.namespace ?? "";
  const sets = client.list("ReplicaSet", namespace).filter((each) => controllerOf(each)?.uid === controller.uid);
  const tests = sets.map((each) => labelSelector(at(each, "spec", "selector")));
  return client
    .list("Pod", namespace)
    .filter((pod) => isActive(pod) && tests.some((selects) => selects(pod.metadata.labels ?? {})));
}
