import type { WorkloadName } from "../simulator/snapshot.ts";

/** What stands for the workload of pods in namespaces where the person has no right; no namespace can bear that name. */
export const unseen: WorkloadName = { namespace: "(not shown)", name: "pods", kind: "Pod" };

/** How those are spoken of. */
export const unseenWords = "pods of other namespaces";

/** `shop/cart`; for one that must not be named, only that it is elsewhere. */
export function nameUnlessUnseen({ namespace, name }: WorkloadName): string {
  return namespace === unseen.namespace ? unseenWords : `${namespace}/${name}`;
}
