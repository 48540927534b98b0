import type { SimulatedPod } from "./snapshot.ts";

/**
 * Whether one of the two is of the host network of the node on which the other runs: "traffic to and from the node where
 * a Pod is running is always allowed" (Kubernetes' documentation of NetworkPolicy). Where a node is not known, no.
 */
export function isOwnNode(a: SimulatedPod, b: SimulatedPod): boolean {
  return (a.hostNetwork || b.hostNetwork) && a.node !== undefined && a.node === b.node;
}
