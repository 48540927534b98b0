import type { Labels, Namespace, NetworkPolicy, ObjectMeta, OwnerReference, Pod, Service } from "../policy/objects.ts";

/** The parse edge: JSON of the API server, in which every member may be absent, becomes the objects of the domain. */
export type RawMeta = {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly ownerReferences?: readonly (Partial<OwnerReference> & { readonly controller?: boolean })[];
};

export type RawObject<Spec = unknown, Status = unknown> = {
  readonly metadata?: RawMeta;
  readonly spec?: Spec;
  readonly status?: Status;
};

type RawPod = RawObject<
  { readonly hostNetwork?: boolean; readonly nodeName?: string },
  {
    readonly phase?: Pod["phase"];
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  }
>;

export function parsePod(raw: unknown): Pod {
  const { metadata = {}, spec = {}, status = {} } = raw as RawPod;
  return {
    ...parseMeta(metadata),
    annotated: metadata.annotations !== undefined,
    controller: controllerOf(metadata),
    phase: status.phase ?? "Unknown",
    ready: status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
    terminating: metadata.deletionTimestamp !== undefined,
    hostNetwork: spec.hostNetwork ?? false,
    mirror: metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined,
    nodeName: spec.nodeName,
    podIP: status.podIP,
  };
}

/** Of a pod's annotations only those that decisions read; some clusters hang kilobytes on every pod. */
function parseMeta(metadata: RawMeta): ObjectMeta {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => isKept(key));
  return {
    name: metadata.name ?? "",
    namespace: metadata.namespace ?? "",
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    creationTimestamp: metadata.creationTimestamp ?? "",
    labels: metadata.labels ?? {},
    annotations: Object.fromEntries(annotations),
  };
}

function isKept(key: string): boolean {
  return (
    key.startsWith("bulkhead.dev/") ||
    key === "controller.kubernetes.io/pod-deletion-cost" ||
    key === "kubernetes.io/config.mirror"
  );
}

/** The owner that has `controller: true`; there is at most one. */
export function controllerOf(metadata: RawMeta): OwnerReference | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return owner && { kind: owner.kind ?? "", name: owner.name ?? "", uid: owner.uid ?? "" };
}

export function parseNamespace(raw: unknown): Namespace {
  const { metadata = {} } = raw as RawObject;
  const terminating = metadata.deletionTimestamp !== undefined;
  return { name: metadata.name ?? "", labels: metadata.labels ?? {}, terminating };
}

/** A Service without selector selects nothing (its endpoints are made by hand), and so is empty here. */
export function parseService(raw: unknown): Service {
  const { metadata = {}, spec = {} } = raw as RawObject<{ readonly selector?: Labels }>;
  return { name: metadata.name ?? "", namespace: metadata.namespace ?? "", selector: spec.selector ?? {} };
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * The wire form, untouched but for managedFields and kubectl's copy of the object, which only cost memory. Items of a
 * list come without apiVersion and kind.
 */
export function parsePolicy(raw: unknown): NetworkPolicy {
  const { metadata, ...rest } = raw as NetworkPolicy;
  const {
    managedFields: _,
    annotations,
    ...meta
  } = metadata as NetworkPolicy["metadata"] & { managedFields?: unknown };
  const kept = Object.entries(annotations ?? {}).filter(([key]) => key !== lastApplied);
  return {
    ...rest,
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { ...meta, ...(annotations === undefined ? {} : { annotations: Object.fromEntries(kept) }) },
  };
}
