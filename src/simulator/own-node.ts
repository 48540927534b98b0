import type { EngineName, SimulatedPod } from "./snapshot.ts";

/**
 * Whether no policy can deny it: "traffic to and from the node where a Pod is running is always allowed" (Kubernetes'
 * documentation of NetworkPolicy). One of the two is of the host network of the node on which the other runs; where a node
 * is not known, no. Cilium allows only what comes from the node: what a pod sends to its node obeys its policies (Cilium,
 * option allow-localhost, which is about ingress).
 */
export function isOwnNodeTraffic(engine: EngineName | undefined, from: SimulatedPod, to: SimulatedPod): boolean {
  if (from.node === undefined || from.node !== to.node) return false;
  return from.hostNetwork || (to.hostNetwork && !deniesToOwnNode(engine));
}

/** Whether this engine holds what a pod sends to its own node against its policies. */
export function deniesToOwnNode(engine: EngineName | undefined): boolean {
  return engine === "cilium";
}
