import { at, textAt } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import { claimPods, podFrom } from "./claims.ts";
import type { ControllerClient } from "./client.ts";
import { readySince } from "./ranking.ts";

/** DaemonSets: one pod on every node; of two, the older stays. */
export function reconcileDaemonSets(client: ControllerClient, namespace: string): void {
  const nodes = client.list("Node", "");
  for (const set of client.list("DaemonSet", namespace)) {
    if (set.metadata.deletionTimestamp === undefined) reconcileSet(client, set, nodes);
  }
}

function reconcileSet(client: ControllerClient, set: KubeObject, nodes: readonly KubeObject[]): void {
  const pods = claimPods(client, set, at(set, "spec", "selector"));
  for (const { metadata } of nodes) {
    const here = pods.filter((pod) => textAt(pod, "spec", "nodeName") === metadata.name).sort(byAge);
    for (const pod of here.slice(1)) client.remove("Pod", pod);
    if (here.length > 0) continue;
    const draft = podFrom(set, { generateName: `${set.metadata.name}-` }, { nodeName: metadata.name });
    client.create("Pod", set.metadata.namespace ?? "", draft);
  }
  const ready = pods.filter((pod) => readySince(pod) !== undefined).length;
  client.status("DaemonSet", set, {
    observedGeneration: set.metadata.generation,
    desiredNumberScheduled: nodes.length,
    currentNumberScheduled: pods.length,
    updatedNumberScheduled: pods.length,
    numberReady: ready,
    numberAvailable: ready,
    numberMisscheduled: 0,
  });
}

function byAge(one: KubeObject, other: KubeObject): number {
  return (
    Date.parse(one.metadata.creationTimestamp) - Date.parse(other.metadata.creationTimestamp) ||
    one.metadata.name.localeCompare(other.metadata.name)
  );
}
