import { z } from "zod";
import { parseAddress } from "./addresses.ts";
import { at } from "./manifest-documents.ts";
import type { Findings, ManifestObject } from "./manifest-objects.ts";
import type { ContainerPort } from "./model.ts";
import { problemsOf } from "./problems.ts";
import { portNumber, protocol } from "./selector-schema.ts";
import type { SimulatedPod, SimulatedService } from "./snapshot.ts";

/** Of an object or a pod template: what decides, checked; everything else is not looked at. */

const text = z.custom<string>((value) => typeof value === "string", { error: ({ input }) => notText(input) });

/** `version: 1.0` is a number in YAML, and no label. */
function notText(input: unknown): string {
  if (input === undefined) return "is missing";
  const isScalar = typeof input === "number" || typeof input === "boolean";
  return isScalar ? `is ${String(input)}, which is no text; put it in quotes` : "must be text";
}

const labels = z
  .record(z.string(), text)
  .nullish()
  .transform((given) => given ?? {});

const address = z.string().refine(isAddress, "is no IP address");

const owners = z
  .array(z.object({ kind: text.nullish(), name: text, controller: z.boolean().nullish() }))
  .nullish()
  .transform((given) => {
    const owner = (given ?? []).find(({ controller }) => controller === true);
    // A static pod is its node's, which makes no workload of a node's pods. An owner of no kind is named as its pods are.
    return owner === undefined || owner.kind === "Node" ? undefined : { kind: owner.kind ?? "Pod", name: owner.name };
  });

const container = z.object({
  restartPolicy: text.nullish(),
  ports: z.array(z.object({ name: text.nullish(), containerPort: portNumber, protocol: protocol.nullish() })).nullish(),
});

const podSpec = z.object({
  hostNetwork: z.boolean().nullish(),
  nodeName: text.nullish(),
  serviceAccountName: text.nullish(),
  serviceAccount: text.nullish(),
  containers: z.array(container).nullish(),
  initContainers: z.array(container).nullish(),
});

const template = z.object({
  metadata: z
    .object({ labels })
    .nullish()
    .transform((given) => given ?? { labels: {} }),
  spec: podSpec,
});

const podSchema = z.object({
  metadata: z.object({ labels, ownerReferences: owners }),
  spec: podSpec,
  status: z
    .object({
      phase: text.nullish(),
      podIP: address.nullish(),
      podIPs: z.array(z.object({ ip: address })).nullish(),
    })
    .nullish(),
});

const workloadSchema = z.object({
  metadata: z.object({ ownerReferences: owners }),
  spec: z.object({ template, manualSelector: z.boolean().nullish() }),
});

const cronJobSchema = z.object({
  metadata: z.object({ ownerReferences: owners }),
  spec: z.object({ jobTemplate: z.object({ spec: z.object({ template }) }) }),
});

const serviceSchema = z.object({
  spec: z.object({
    clusterIP: text.nullish(),
    clusterIPs: z.array(text).nullish(),
    type: text.nullish(),
    externalName: text.nullish(),
    selector: labels,
    ports: z
      .array(
        z.object({
          name: text.nullish(),
          protocol: protocol.nullish(),
          port: portNumber,
          targetPort: z.union([portNumber, z.string()]).nullish(),
        }),
      )
      .nullish(),
  }),
});

const namespaceSchema = z.object({ metadata: z.object({ labels }) });

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

function isAddress(value: string): boolean {
  return parseAddress(value) !== undefined;
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
