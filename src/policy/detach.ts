import { marks } from "./marks.ts";
import type { JsonPatchOperation, LabelSelector, Labels, NetworkPolicy, Pod, Service, Workload } from "./objects.ts";
import { requiredKeys, selects } from "./selector.ts";

/** Everything in the pod's namespace that may select it. */
export type Selectors = {
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  readonly policies: readonly NetworkPolicy[];
};

/**
 * The label keys, sorted, that make Services, controllers or policies select the pod: with these off, only selectors
 * that need no label at all (empty, NotIn, DoesNotExist) still can. Other labels stay: logs and evidence go by them.
 */
export function keysToRemove(labels: Labels, { services, workloads, policies }: Selectors): readonly string[] {
  const selectors: LabelSelector[] = [
    ...services.filter(hasSelector).map(({ selector }) => ({ matchLabels: selector })),
    ...workloads.map(({ selector }) => selector),
    ...policies.map(({ spec }) => spec.podSelector ?? {}),
  ];
  const keys = selectors.filter((selector) => selects(selector, labels)).flatMap(requiredKeys);
  return [...new Set(keys)].filter((key) => key !== marks.quarantine).sort();
}

/** The pod's labels while it is quarantined. */
export function labelsDuring(labels: Labels, removes: readonly string[], operation: string): Labels {
  const kept = Object.entries(labels).filter(([key]) => !removes.includes(key));
  return { ...Object.fromEntries(kept), [marks.quarantine]: operation };
}

/**
 * JSON Patch that adds the quarantine label if the pod is still as it was read. The resourceVersion fences: a replica
 * that slept over the operation's end must not begin it anew, and by then labels and all are as before.
 */
export function labelPatch(pod: Pod, operation: string): readonly JsonPatchOperation[] {
  const asRead: readonly JsonPatchOperation[] = [
    testUid(pod.uid),
    { op: "test", path: "/metadata/resourceVersion", value: pod.resourceVersion },
  ];
  if (Object.keys(pod.labels).length === 0) {
    return [...asRead, { op: "add", path: "/metadata/labels", value: { [marks.quarantine]: operation } }];
  }
  return [
    ...asRead,
    { op: "test", path: "/metadata/labels", value: pod.labels },
    { op: "add", path: labelPath(marks.quarantine), value: operation },
  ];
}

/** JSON Patch that takes the other labels off, if the labels are those of the plan and the quarantine label. */
export function stripPatch(
  uid: string,
  before: Labels,
  removes: readonly string[],
  operation: string,
): readonly JsonPatchOperation[] {
  return [
    testUid(uid),
    { op: "test", path: "/metadata/labels", value: { ...before, [marks.quarantine]: operation } },
    ...removes.map((key): JsonPatchOperation => ({ op: "remove", path: labelPath(key) })),
  ];
}

/** JSON Patch that puts the labels of the snapshot back beside the quarantine label; empty where none is missing. */
export function restorePatch(pod: Pod, before: Labels): readonly JsonPatchOperation[] {
  const missing = Object.entries(before).filter(([key, value]) => pod.labels[key] !== value);
  if (missing.length === 0) return [];
  return [
    testUid(pod.uid),
    { op: "test", path: "/metadata/labels", value: pod.labels },
    ...missing.map(([key, value]): JsonPatchOperation => ({ op: "add", path: labelPath(key), value })),
  ];
}

/** JSON Patch that takes the quarantine label off, if all labels are still as they were read. */
export function unlabelPatch({ uid, labels }: Pod): readonly JsonPatchOperation[] {
  return [
    testUid(uid),
    { op: "test", path: "/metadata/labels", value: labels },
    { op: "remove", path: labelPath(marks.quarantine) },
  ];
}

/** A label's JSON Pointer (RFC 6901: `~` and `/` escaped). */
function labelPath(key: string): string {
  return `/metadata/labels/${escapePointer(key)}`;
}

/** An annotation's JSON Pointer. */
export function annotationPath(key: string): string {
  return `/metadata/annotations/${escapePointer(key)}`;
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function testUid(uid: string): JsonPatchOperation {
  return { op: "test", path: "/metadata/uid", value: uid };
}

function hasSelector({ selector }: Service): boolean {
  return Object.keys(selector).length > 0;
}
