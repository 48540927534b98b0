import type { WireObject } from "../simulator/model.ts";
import type { Snapshot } from "../simulator/snapshot.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Containment, simulateContainment } from "./containment.ts";
import { isAmong } from "./deny-objects.ts";
import { residualOf } from "./residual-words.ts";

/**
 * Which policies leave the pod something open, by its own policies alone, whoever is there to use it: the same where only
 * its namespace was read, and soon told.
 */
export function leftOpenBy(view: ClusterView, namespace: string, { objects, labels, changed }: Containment): unknown {
  const whole = withoutOwn(view, { objects });
  const own: Snapshot = {
    ...whole,
    pods: [...labels.keys()],
    services: whole.services.filter((service) => service.namespace === namespace),
    policies: whole.policies.filter(({ metadata, kind }) => mayBear({ metadata, kind }, namespace)),
  };
  const { after, subjects } = simulateContainment(own, view.detection, { objects, labels, changed });
  return residualOf(after, subjects, objects)
    .map(({ policy, sure = true }) => ({ policy, sure }))
    .toSorted((a, b) => (a.policy < b.policy ? -1 : 1));
}

/** A namespaced policy acts on pods of its own namespace only; Calico's sets are named from anywhere. */
function mayBear({ metadata, kind }: Pick<WireObject, "metadata" | "kind">, namespace: string): boolean {
  return metadata.namespace === undefined || metadata.namespace === namespace || kind === "NetworkSet";
}

/** The cluster without what an earlier try of the same operation left. */
export function withoutOwn({ snapshot }: ClusterView, { objects }: Pick<Containment, "objects">): Snapshot {
  const isOwn = isAmong(objects);
  return { ...snapshot, policies: snapshot.policies.filter((policy) => !isOwn(policy)) };
}
