import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { LabelSelector } from "../policy/objects.ts";
import type { Pool } from "./canary-pools.ts";
import { serverCommand, serverPort, stageCommand } from "./canary-script.ts";
import { type CanaryLimits, type Direction, longestMs, stages } from "./canary-stages.ts";

/** What all objects of one run follow from. */
export type CanaryPlan = {
  /** The id of the run; unlike any other's. */
  readonly run: string;
  readonly namespace: string;
  readonly image: string;
  readonly tolerateTaints: boolean;
  readonly limits: CanaryLimits;
};

/** A pool with its place in the run, which names its objects. */
export type NumberedPool = { readonly number: number; readonly pool: Pool };

export type Role = "server" | "client";

/** In the query syntax of the API: everything that any run of the canary made, or this one. */
export function canarySelector(run?: string): string {
  return [`${marks.kind}=canary`, ...(run === undefined ? [] : [`${marks.operation}=${run}`])].join(",");
}

export function canaryPodName({ run }: CanaryPlan, number: number, role: Role): string {
  return `bulkhead-${run}-${number}-${role}`;
}

export function serverPod(plan: CanaryPlan, { number, pool }: NumberedPool) {
  const { run } = plan;
  const command = serverCommand({ port: serverPort, token: tokenOf(run, number) });
  return pod(plan, { number, pool, role: "server" }, { containers: [container(plan, "server", command)] });
}

/** Its stages are init containers and, the last, the container: each begins when the one before has seen what it looks for. */
export function clientPod(plan: CanaryPlan, { number, pool }: NumberedPool, host: string) {
  const { limits, run } = plan;
  const { effectMs, stageMs } = limits;
  const all = stages.map(({ name, sees }) => {
    // One connection proves that it is open; one that failed may have been lost.
    const inARow = sees === "open" ? 1 : 3;
    const pace = { inARow, everyMs: Math.ceil(effectMs / 60), tryMs: Math.ceil(effectMs / 10), withinMs: stageMs };
    const order = { ...pace, host, port: serverPort, token: tokenOf(run, number), sees };
    return container(plan, name, stageCommand(order));
  });
  const containers = { initContainers: all.slice(0, -1), containers: all.slice(-1) };
  return pod(plan, { number, pool, role: "client" }, containers);
}

/** Denies the one direction to the one pod that it is about: the server for ingress, the client for egress. */
export function denyPolicy(plan: CanaryPlan, number: number, direction: Direction): Manifest {
  const role = direction === "ingress" ? "server" : "client";
  const podSelector: LabelSelector = {
    matchLabels: { [marks.operation]: plan.run, [marks.canary]: `${number}-${role}` },
  };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: `bulkhead-${plan.run}-${number}-${direction}`,
      namespace: plan.namespace,
      labels: labelsOf(plan),
    },
    spec: { podSelector, policyTypes: [direction === "ingress" ? "Ingress" : "Egress"] },
  };
}

function tokenOf(run: string, number: number): string {
  return `bulkhead canary ${run} ${number}.`;
}

function labelsOf({ run }: CanaryPlan) {
  return { [marks.operation]: run, [marks.kind]: "canary", [marks.managedBy]: "bulkhead" };
}

type Placed = NumberedPool & { readonly role: Role };

/** By the restricted Pod Security Standard; ends by itself should nobody delete it. A mesh would answer in the server's place. */
function pod(plan: CanaryPlan, { number, pool, role }: Placed, containers: object) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: canaryPodName(plan, number, role),
      namespace: plan.namespace,
      labels: {
        ...labelsOf(plan),
        [marks.canary]: `${number}-${role}`,
        "sidecar.istio.io/inject": "false",
        "istio.io/dataplane-mode": "none",
      },
      annotations: { "linkerd.io/inject": "disabled" },
    },
    spec: {
      ...containers,
      restartPolicy: "Never",
      // Longer than the run, so that it is this that ends nothing that is still watched.
      activeDeadlineSeconds: Math.ceil(longestMs(plan.limits) / 1_000) + 60,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1_000,
        runAsGroup: 1_000,
        seccompProfile: { type: "RuntimeDefault" },
      },
      affinity: { nodeAffinity: onPool(pool), podAntiAffinity: apart(plan, number) },
      ...(plan.tolerateTaints ? { tolerations: [{ operator: "Exists" }] } : {}),
    },
  };
}

function container({ image }: CanaryPlan, name: string, command: readonly string[]) {
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    command,
    resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "128Mi" } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
  };
}

function onPool({ label, without }: Pool) {
  const isIn =
    label === undefined
      ? without.map((key) => ({ key, operator: "DoesNotExist" }))
      : [{ key: label.key, operator: "In", values: [label.value] }];
  const isLinux = { key: "kubernetes.io/os", operator: "NotIn", values: ["windows"] };
  return {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [...isIn, isLinux] }] },
  };
}

/** Two nodes where the pool has them: between pods of one node some engines take a shorter way. */
function apart({ run }: CanaryPlan, number: number) {
  const labelSelector = {
    matchLabels: { [marks.operation]: run },
    matchExpressions: [{ key: marks.canary, operator: "In", values: [`${number}-server`, `${number}-client`] }],
  };
  const podAffinityTerm = { labelSelector, topologyKey: "kubernetes.io/hostname" };
  return { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] };
}
