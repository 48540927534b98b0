import { canonicalJson } from "../policy/canonical.ts";
import { labelsDuring } from "../policy/detach.ts";
import { marks } from "../policy/marks.ts";
import type { Labels, NetworkPolicy, Pod } from "../policy/objects.ts";
import type { QuarantinePlan } from "../policy/plan.ts";
import { residualAllows } from "../policy/residual.ts";
import { type Verdict, verdict } from "../policy/verdict.ts";
import type { Isolation } from "./isolate.ts";
import { leftBehind, StepFailed } from "./step-failed.ts";

/** Looks at the cluster, not at what was sent: labels, policy, and what the union of policies still lets through. */
export async function readBack({ cluster, operation, plan }: Isolation): Promise<Verdict & { readonly pod: Pod }> {
  const { namespace } = plan.target;
  const [pods, policies] = await Promise.all([cluster.listPods(namespace, ""), cluster.listPolicies("", namespace)]);
  const pod = pods.find(({ uid }) => uid === plan.podUid);
  const policy = policies.find(({ metadata }) => metadata.name === plan.policy.metadata.name);
  const bearers = pods.filter(({ labels }) => labels[marks.quarantine] === operation);
  if (pod === undefined) throw new StepFailed("the pod is gone", leftBehind(plan));
  const others = policies.filter(({ metadata }) => metadata.name !== plan.policy.metadata.name);
  const residual = residualAllows(others, pod.labels);
  const mismatch =
    mismatchOf(plan, pod.labels, operation) ??
    policyMismatch(plan, policy) ??
    (bearers.length > 1 ? "another pod bears the label too" : undefined);
  const { nodeName, podIPs } = pod;
  const found = verdict({
    mismatch,
    residual,
    enforcement: plan.enforcement,
    unread: [],
    realised: { state: "no-status", words: "NetworkPolicy has no status" },
    openConnections: "unknown",
    plugin: undefined,
    pod: { namespace, pod: pod.name, nodeName, podIPs },
  });
  return { ...found, pod };
}

function mismatchOf(plan: QuarantinePlan, labels: Labels, operation: string): string | undefined {
  const expected = labelsDuring(labels, plan.removes, operation);
  return canonicalJson(expected) === canonicalJson(labels)
    ? undefined
    : "labels that were taken off are back on the pod";
}

function policyMismatch(plan: QuarantinePlan, policy: NetworkPolicy | undefined): string | undefined {
  if (policy === undefined) return "the policy is gone again";
  return canonicalJson(policy.spec) === canonicalJson(plan.policy.spec)
    ? undefined
    : "the policy is not as it was written";
}
