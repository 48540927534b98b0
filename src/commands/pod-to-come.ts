import type { LabelSelector } from "../policy/objects.ts";
import type { ContainPlan } from "../policy/plan.ts";
import type { SimulatedPod, Snapshot } from "../simulator/snapshot.ts";

/**
 * The cluster with one pod as the containment's selector describes it, for where it selects none yet: what is open to that
 * one will be open to those that come.
 */
export function withPodToCome(
  snapshot: Snapshot,
  { target: { namespace }, policy }: Pick<ContainPlan, "target" | "policy">,
): { readonly snapshot: Snapshot; readonly subjects: readonly SimulatedPod[] } {
  const pod: SimulatedPod = {
    namespace,
    name: undefined,
    labels: describedBy(policy.spec.podSelector ?? {}),
    workload: { namespace, name: "(pods to come)", kind: "Pod" },
    serviceAccount: "default",
    ports: [],
    addresses: [],
    node: undefined,
    hostNetwork: false,
  };
  return { snapshot: { ...snapshot, pods: [...snapshot.pods, pod] }, subjects: [pod] };
}

function describedBy({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Readonly<Record<string, string>> {
  const asked = matchExpressions.filter(({ operator }) => operator === "In" || operator === "Exists");
  return { ...matchLabels, ...Object.fromEntries(asked.map(({ key, values = [] }) => [key, values[0] ?? ""])) };
}
