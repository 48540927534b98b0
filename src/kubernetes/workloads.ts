import type { LabelSelector, Labels, Workload, WorkloadKind } from "../policy/objects.ts";
import { controllerOf, type RawObject } from "./parse.ts";
import { type Resource, resources } from "./resources.ts";

/** The kinds whose controllers replace, restart or miss a pod. */
export const workloadResources: readonly (readonly [WorkloadKind, Resource])[] = [
  ["Deployment", resources.deployments],
  ["ReplicaSet", resources.replicaSets],
  ["StatefulSet", resources.statefulSets],
  ["DaemonSet", resources.daemonSets],
  ["Job", resources.jobs],
  ["ReplicationController", resources.replicationControllers],
];

type RawWorkload<Selector> = RawObject<{
  readonly selector?: Selector;
  readonly replicas?: number;
  readonly completions?: number | null;
}>;

/** How many replicas are asked for is 1 where the spec is silent (apps/v1 and batch/v1 defaults). */
export function parseWorkload(kind: WorkloadKind, raw: unknown): Workload {
  const { metadata = {}, spec = {} } = raw as RawWorkload<unknown>;
  return {
    kind,
    name: metadata.name ?? "",
    namespace: metadata.namespace ?? "",
    uid: metadata.uid ?? "",
    selector: selectorOf(kind, spec.selector),
    replicas: kind === "DaemonSet" ? undefined : ((kind === "Job" ? spec.completions : spec.replicas) ?? 1),
    controller: controllerOf(metadata),
  };
}

/** The selector of a ReplicationController is a plain map; nothing stored lacks one, and an empty one would select all. */
function selectorOf(kind: WorkloadKind, selector: unknown): LabelSelector {
  if (selector === undefined) return { matchExpressions: [{ key: "nothing", operator: "In", values: [] }] };
  return kind === "ReplicationController" ? { matchLabels: selector as Labels } : (selector as LabelSelector);
}
