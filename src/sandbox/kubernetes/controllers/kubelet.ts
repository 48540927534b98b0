import { at, isObject, type JsonObject, listAt, textAt } from "../json.ts";
import { type KubeObject, timestamp } from "../objects.ts";
import type { ControllerClient } from "./client.ts";

/** Scheduler and kubelets in one: pods get a node and an address and are ready at once; deleted ones go at once. */
export type Kubelet = (client: ControllerClient, namespace: string) => void;

export function createKubelet(): Kubelet {
  let scheduled = 0;
  const used = new Map<number, number>();
  /** A /16 a node, from 10.128.0.0 on, so that 10 000 pods of one node have different addresses. */
  const newAddress = (node: number): string => {
    const number = (used.get(node) ?? 0) + 1;
    used.set(node, number);
    return `10.${128 + (node % 64)}.${Math.floor(number / 250) % 256}.${(number % 250) + 2}`;
  };
  return (client, namespace) => {
    const nodes = client.list("Node", "");
    for (const pod of client.list("Pod", namespace)) {
      if (pod.metadata.deletionTimestamp !== undefined) client.finish(pod);
      else if (textAt(pod, "status", "phase") === "Pending") start(client, pod, nodes);
    }
  };

  function start(client: ControllerClient, pod: KubeObject, nodes: readonly KubeObject[]): void {
    const chosen = textAt(pod, "spec", "nodeName");
    const index =
      chosen === undefined
        ? scheduled++ % Math.max(1, nodes.length)
        : nodes.findIndex(({ metadata }) => metadata.name === chosen);
    const node = nodes[index];
    // As on the server, nothing runs where there is no such node.
    if (node === undefined) return;
    const bound = chosen === undefined ? client.bind(pod, node.metadata.name) : pod;
    const hostIP = nodeAddress(node);
    const podIP = at(pod, "spec", "hostNetwork") === true ? hostIP : newAddress(index);
    client.status("Pod", bound, running(bound, { hostIP, podIP, now: timestamp(client.now()) }));
  }
}

function nodeAddress(node: KubeObject): string {
  const address = listAt(node, "status", "addresses").find((each) => at(each, "type") === "InternalIP");
  return textAt(address, "address") ?? "192.168.0.1";
}

function running(pod: KubeObject, { hostIP, podIP, now }: { hostIP: string; podIP: string; now: string }): JsonObject {
  const condition = (type: string): JsonObject => ({
    type,
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: now,
  });
  const containers = listAt(pod, "spec", "containers").filter(isObject);
  return {
    phase: "Running",
    hostIP,
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: now,
    conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition),
    containerStatuses: containers.map(({ name, image }) => ({
      name,
      image,
      imageID: "",
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: now } },
      lastState: {},
    })),
  };
}
