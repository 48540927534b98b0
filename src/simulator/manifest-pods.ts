import type { z } from "zod";
import { at } from "./manifest-documents.ts";
import type { Findings, ManifestObject } from "./manifest-objects.ts";
import {
  type container,
  cronJobSchema,
  isAddress,
  namespaceSchema,
  podSchema,
  type podSpec,
  serviceSchema,
  workloadSchema,
} from "./manifest-schema.ts";
import type { ContainerPort } from "./model.ts";
import { problemsOf } from "./problems.ts";
import type { SimulatedPod, SimulatedService } from "./snapshot.ts";

/** What is known of the pods that an object is or makes, before it is known whose they are. */
export type PodPart = Omit<SimulatedPod, "namespace" | "name" | "workload">;

export type Owner = { readonly kind: string; readonly name: string };

type ReadPods = { readonly pod: PodPart; readonly owner: Owner | undefined };

/** A pod, or the template of a workload's; undefined where it is broken, or a pod that is finished. */
export function readPods(object: ManifestObject, findings: Findings): ReadPods | undefined {
  if (object.is.role === "pod") return readPod(object, findings);
  const [metadata, made] = templateOf(object, findings) ?? [];
  if (metadata === undefined || made === undefined) return undefined;
  return { pod: partOf(made.metadata.labels, made.spec, []), owner: metadata.ownerReferences };
}

function readPod(object: ManifestObject, findings: Findings): ReadPods | undefined {
  const pod = checked(podSchema, object, findings);
  const phase = pod?.status?.phase;
  if (pod === undefined || phase === "Succeeded" || phase === "Failed") return undefined;
  const ips = [...(pod.status?.podIPs ?? []).map(({ ip }) => ip), pod.status?.podIP ?? ""];
  const addresses = [...new Set(ips.filter((ip) => ip !== ""))];
  return { pod: partOf(pod.metadata.labels, pod.spec, addresses), owner: pod.metadata.ownerReferences };
}

function templateOf(object: ManifestObject, findings: Findings) {
  if (object.kind === "CronJob") {
    const cronJob = checked(cronJobSchema, object, findings);
    return cronJob && ([cronJob.metadata, cronJob.spec.jobTemplate.spec.template] as const);
  }
  const workload = checked(workloadSchema, object, findings);
  if (workload === undefined) return undefined;
  const { template: made, manualSelector } = workload.spec;
  if (object.kind !== "Job" || manualSelector === true) return [workload.metadata, made] as const;
  return [
    workload.metadata,
    { ...made, metadata: { labels: { ...jobLabels(object), ...made.metadata.labels } } },
  ] as const;
}

/** The API server puts them on a Job's template (generateSelector in registry/batch/job of Kubernetes). */
function jobLabels({ name }: ManifestObject): PodPart["labels"] {
  return { "job-name": name, "batch.kubernetes.io/job-name": name };
}

export function readService(object: ManifestObject, findings: Findings): SimulatedService | undefined {
  const service = checked(serviceSchema, object, findings);
  if (service === undefined) return undefined;
  const ports = (service.spec.ports ?? []).map((port) => ({
    name: port.name ?? undefined,
    protocol: port.protocol ?? ("TCP" as const),
    port: port.port,
    targetPort: port.targetPort ?? port.port,
  }));
  const { selector, clusterIP, type, externalName } = service.spec;
  const isExternal = type === "ExternalName";
  const clusterIPs = [...new Set([clusterIP ?? "", ...(service.spec.clusterIPs ?? [])])].filter(isAddress);
  return {
    namespace: object.namespace ?? "",
    name: object.name,
    selector: isExternal ? {} : selector,
    ports,
    ...(clusterIPs.length > 0 ? { clusterIPs } : {}),
    ...(clusterIP === "None" ? { headless: true } : {}),
    ...(isExternal ? { externalName: externalName ?? "" } : {}),
  };
}

/** A namespace's own labels. */
export function readNamespaceLabels(object: ManifestObject, findings: Findings): Readonly<Record<string, string>> {
  return checked(namespaceSchema, object, findings)?.metadata.labels ?? {};
}

function checked<Shape>(schema: z.ZodType<Shape>, object: ManifestObject, { broken }: Findings): Shape | undefined {
  const result = schema.safeParse({ ...object.raw, metadata: object.raw["metadata"] ?? {} });
  if (result.success) return result.data;
  broken.push(...problemsOf(result.error).map(({ field, message }) => at(object.origin, field, message)));
  return undefined;
}

function partOf(podLabels: PodPart["labels"], spec: z.infer<typeof podSpec>, addresses: readonly string[]): PodPart {
  // An init container with restartPolicy Always keeps running beside the others: a sidecar, and its ports are the pod's.
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return {
    labels: podLabels,
    serviceAccount: spec.serviceAccountName ?? spec.serviceAccount ?? "default",
    ports: [...(spec.containers ?? []), ...sidecars].flatMap(namedPorts),
    addresses,
    node: spec.nodeName ?? undefined,
    hostNetwork: spec.hostNetwork ?? false,
  };
}

function namedPorts({ ports }: z.infer<typeof container>): readonly ContainerPort[] {
  return (ports ?? []).flatMap(({ name, containerPort, protocol: given }) =>
    name === undefined || name === null ? [] : [{ name, protocol: given ?? "TCP", port: containerPort }],
  );
}
