import type { EngineName, SimulatedPod } from "./snapshot.ts";

/**
 * Whether no policy can deny it: "traffic to and from the node where a Pod is running is always allowed" (Kubernetes'
 * documentation of NetworkPolicy). One of the two is of the host network of the node on which the other runs; where a node
 * is not known, no. Some engines allow only what comes from the node.
 */
export function isOwnNodeTraffic(engine: EngineName | undefined, from: SimulatedPod, to: SimulatedPod): boolean {
  if (from.node === undefined || from.node !== to.node) return false;
  return from.hostNetwork || (to.hostNetwork && !deniesToOwnNode(engine));
}

/**
 * Whether this engine holds what a pod sends to its own node against its policies: Cilium does (option allow-localhost is
 * about ingress), and Calico (felix/rules/static.go, filterWorkloadToHostChain: egress policy, then the configured
 * DefaultEndpointToHostAction). Antrea does not (its documentation, Select Nodes by labels).
 */
export function deniesToOwnNode(engine: EngineName | undefined): boolean {
  return engine === "cilium" || engine === "calico";
}
