import { z } from "zod";
import { parseAddress } from "./addresses.ts";
import { portNumber, protocol } from "./selector-schema.ts";

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

export const container = z.object({
  restartPolicy: text.nullish(),
  ports: z.array(z.object({ name: text.nullish(), containerPort: portNumber, protocol: protocol.nullish() })).nullish(),
});

export const podSpec = z.object({
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

export const podSchema = z.object({
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

export const workloadSchema = z.object({
  metadata: z.object({ ownerReferences: owners }),
  spec: z.object({ template, manualSelector: z.boolean().nullish() }),
});

export const cronJobSchema = z.object({
  metadata: z.object({ ownerReferences: owners }),
  spec: z.object({ jobTemplate: z.object({ spec: z.object({ template }) }) }),
});

export const serviceSchema = z.object({
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

export const namespaceSchema = z.object({ metadata: z.object({ labels }) });

export function isAddress(value: string): boolean {
  return parseAddress(value) !== undefined;
}
