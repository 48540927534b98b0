import type { Manifest } from "../policy/manifest.ts";
import type {
  Labels,
  NamedPort,
  Namespace,
  NetworkPolicy,
  ObjectMeta,
  OwnerReference,
  Pod,
  Service,
  ServicePort,
} from "../policy/objects.ts";

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

type RawContainer = {
  readonly restartPolicy?: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly protocol?: NamedPort["protocol"];
    readonly containerPort?: number;
  }[];
};

type RawPod = RawObject<
  {
    readonly hostNetwork?: boolean;
    readonly priorityClassName?: string;
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly containers?: readonly RawContainer[];
    readonly initContainers?: readonly RawContainer[];
  },
  {
    readonly phase?: Pod["phase"];
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip?: string }[];
    readonly hostIP?: string;
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
    critical: isCritical(spec),
    mirror: metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined,
    nodeName: spec.nodeName,
    podIP: status.podIP,
    podIPs: podIPsOf(status),
    hostIP: status.hostIP,
    serviceAccount: spec.serviceAccountName ?? "default",
    ports: namedPorts([...(spec.containers ?? []), ...(spec.initContainers ?? []).filter(isSidecar)]),
  };
}

/** The two classes that every cluster has (Kubernetes' documentation, Guaranteed Scheduling For Critical Add-On Pods). */
function isCritical({ priorityClassName: name }: NonNullable<RawPod["spec"]>): boolean {
  return name === "system-node-critical" || name === "system-cluster-critical";
}

function podIPsOf({ podIP, podIPs }: NonNullable<RawPod["status"]>): readonly string[] {
  const others = (podIPs ?? []).flatMap(({ ip }) => (ip === undefined || ip === podIP ? [] : [ip]));
  return podIP === undefined ? others : [podIP, ...others];
}

/** An init container that keeps running beside the others: its ports are the pod's (Kubernetes' documentation, Sidecar Containers). */
function isSidecar({ restartPolicy }: RawContainer): boolean {
  return restartPolicy === "Always";
}

/** The API fills in TCP; what somebody else wrote may lack it. */
function namedPorts(containers: readonly RawContainer[]): readonly NamedPort[] {
  const named = containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, protocol = "TCP", containerPort }) =>
      name === undefined || containerPort === undefined ? [] : [{ name, protocol, port: containerPort }],
    ),
  );
  return shared(named.map(({ name, protocol, port }) => `${name}/${protocol}/${port}`).join(), named);
}

const portLists = new Map<string, readonly NamedPort[]>();

/** Pods of one workload share one list, which saves some hundred bytes a pod. */
function shared(key: string, ports: readonly NamedPort[]): readonly NamedPort[] {
  const known = portLists.get(key);
  if (known !== undefined) return known;
  if (portLists.size >= 1_000) portLists.clear();
  portLists.set(key, ports);
  return ports;
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

type RawServicePort = Partial<ServicePort> & { readonly port: number };

type RawService = RawObject<{
  readonly selector?: Labels;
  readonly ports?: readonly RawServicePort[];
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly type?: string;
  readonly externalName?: string;
}>;

/**
 * A Service without selector selects nothing (its endpoints are made by hand), and so is empty here; so does one of type
 * ExternalName, which gets no endpoints whatever its selector (Kubernetes' documentation of Service, ExternalName). A port's target is
 * the port itself where none is given (core/v1 defaults).
 */
export function parseService(raw: unknown): Service {
  const { metadata = {}, spec = {} } = raw as RawService;
  const { clusterIPs = spec.clusterIP === undefined ? [] : [spec.clusterIP] } = spec;
  return {
    name: metadata.name ?? "",
    namespace: metadata.namespace ?? "",
    selector: spec.selector ?? {},
    ports: (spec.ports ?? []).map(parseServicePort),
    clusterIPs: clusterIPs.filter((address) => address !== "None" && address !== ""),
    ...(clusterIPs.includes("None") ? { headless: true } : {}),
    ...(spec.type === "ExternalName" ? { selector: {}, externalName: spec.externalName ?? "" } : {}),
  };
}

function parseServicePort({ name, protocol = "TCP", port, targetPort }: RawServicePort): ServicePort {
  // Go's zero: headless Services of old have it.
  const isAbsent = targetPort === undefined || targetPort === 0 || targetPort === "";
  return { name, protocol, port, targetPort: isAbsent ? port : targetPort };
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * The wire form, untouched but for managedFields and kubectl's copy of the object, which only cost memory. Items of a
 * list come without apiVersion and kind.
 */
export function parsePolicy(raw: unknown): NetworkPolicy {
  const { metadata, ...rest } = trimmed(raw as NetworkPolicy);
  return { ...rest, apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata };
}

/** The same of an object by itself, of any policy API. */
export function parseManifest(raw: unknown): Manifest {
  return trimmed(raw as Manifest);
}

type Trimmable = { readonly metadata: { readonly annotations?: Labels } };

function trimmed<T extends Trimmable>(raw: T): T {
  const { managedFields: _, annotations, ...meta } = raw.metadata as T["metadata"] & { managedFields?: unknown };
  if (annotations === undefined) return { ...raw, metadata: meta };
  const kept = Object.entries(annotations).filter(([key]) => key !== lastApplied);
  return { ...raw, metadata: { ...meta, annotations: Object.fromEntries(kept) } };
}
