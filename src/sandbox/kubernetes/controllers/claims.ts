import { objectAt, textAt, textsAt } from "../json.ts";
import { controllerOf, type Draft, type KubeObject } from "../objects.ts";
import { labelSelector } from "../selectors.ts";
import { type ControllerClient, ownerReference } from "./client.ts";

/** Neither finished nor about to go. */
export function isActive(pod: KubeObject): boolean {
  const phase = textAt(pod, "status", "phase");
  return phase !== "Succeeded" && phase !== "Failed" && pod.metadata.deletionTimestamp === undefined;
}

/**
 * The active pods that belong to the owner, after it has let go of those whose labels no longer match its selector and
 * adopted matching ones without a controller (PodControllerRefManager). `member` narrows what it may adopt or keep.
 */
export function claimPods(
  client: ControllerClient,
  owner: KubeObject,
  selector: unknown,
  member: (pod: KubeObject) => boolean = () => true,
): KubeObject[] {
  const selects = labelSelector(selector);
  const ending = owner.metadata.deletionTimestamp !== undefined;
  return client
    .list("Pod", owner.metadata.namespace ?? "")
    .filter(isActive)
    .flatMap((pod) => {
      const controller = controllerOf(pod);
      const matches = selects(pod.metadata.labels ?? {}) && member(pod);
      if (controller === undefined) return matches && !ending ? [adopt(client, owner, pod)] : [];
      if (controller.uid !== owner.metadata.uid) return [];
      if (!matches && !ending) release(client, owner, pod);
      return matches ? [pod] : [];
    });
}

/** A pod of the owner's template: with its labels, its spec, and the owner as controller. */
export function podFrom(
  owner: KubeObject,
  metadata: Draft["metadata"],
  spec: Readonly<Record<string, unknown>> = {},
): Draft {
  const template = objectAt(owner, "spec", "template");
  const labels = { ...textsAt(template, "metadata", "labels"), ...metadata.labels };
  const annotations = textsAt(template, "metadata", "annotations");
  return {
    metadata: { ...metadata, labels, annotations, ownerReferences: [ownerReference(owner)] },
    spec: { ...objectAt(template, "spec"), ...spec },
  };
}

function adopt(client: ControllerClient, owner: KubeObject, pod: KubeObject): KubeObject {
  const ownerReferences = [...(pod.metadata.ownerReferences ?? []), ownerReference(owner)];
  return client.update("Pod", pod, { ...pod, metadata: { ...pod.metadata, ownerReferences } });
}

function release(client: ControllerClient, owner: KubeObject, pod: KubeObject): void {
  const ownerReferences = pod.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? [];
  client.update("Pod", pod, { ...pod, metadata: { ...pod.metadata, ownerReferences } });
}
