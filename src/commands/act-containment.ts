import type { Observed } from "../policy/observed.ts";
import type { Operation } from "../policy/operation.ts";
import type { ContainPlan, QuarantinePlan } from "../policy/plan.ts";
import { targetName } from "../policy/target.ts";
import type { Verdict } from "../policy/verdict.ts";
import { someNames } from "./contain-effects.ts";
import type { Doing, Ended, Surroundings } from "./ending.ts";
import { notYetObserved } from "./flow-tells.ts";
import { isolate } from "./isolate.ts";
import { isolateGroup } from "./isolate-group.ts";
import { withObserved } from "./observed-words.ts";
import { ownNode } from "./plan-sections.ts";
import { clusterOf } from "./services.ts";

const tones = { isolated: "good", "not-isolated": "bad", unknown: "warning" } as const;

/** Isolates a pod, and says what may be claimed of it. */
export async function actQuarantine(
  { services }: Surroundings,
  operation: Operation,
  plan: QuarantinePlan,
  doing: Doing,
): Promise<Ended> {
  const { cluster } = clusterOf(services, operation.target.cluster);
  const found = await isolate({
    services,
    cluster,
    operation: operation.id,
    principal: operation.principal,
    plan,
    ...doing,
  });
  return {
    state: "in-force",
    ok: true,
    headline: `${found.headline} (${targetName(operation.target)})`,
    tone: tones[found.state],
    lines: linesOf(found, notYetObserved(services, cluster.name)),
    leaves: found.leaves,
    detail: {
      verdict: found.state,
      labelsAfter: found.pod.labels,
      residual: found.residual,
      policy: plan.policy,
      denies: plan.denies ?? [],
      exclusions: plan.exclusions ?? [],
      said: found.lines,
    },
  };
}

/** The same of a workload or a namespace. */
export async function actContain(
  { services }: Surroundings,
  operation: Operation,
  plan: ContainPlan,
  doing: Doing,
): Promise<Ended> {
  const { cluster } = clusterOf(services, operation.target.cluster);
  const found = await isolateGroup({
    services,
    cluster,
    operation: operation.id,
    principal: operation.principal,
    plan,
    ...doing,
  });
  const now = found.pods.length === 0 ? "no pod now" : `${found.pods.length} now: ${someNames(found.pods)}`;
  return {
    state: "in-force",
    ok: true,
    headline: `${found.headline} (${targetName(operation.target)})`.slice(0, 150),
    tone: tones[found.state],
    lines: [`Cut off: ${now}.`, ...linesOf(found, notYetObserved(services, cluster.name))],
    leaves: found.leaves,
    detail: {
      verdict: found.state,
      pods: found.pods.map(({ name }) => name),
      residual: found.residual,
      policy: plan.policy,
      denies: plan.denies,
      said: found.lines,
    },
  };
}

/** What open connections do first, then what stays open and what can be done about it, then what the claim rests on. */
function linesOf(
  found: Verdict & { readonly next: readonly string[] },
  observed: Observed | undefined,
): readonly string[] {
  return [
    ...found.lines.slice(0, 1),
    ...found.residual.map(({ policy, allows }) => `Policy ${policy} still allows: ${allows}`),
    ...found.next,
    ...withObserved(observed, found.lines.slice(1)),
    ownNode,
    ...found.steps,
  ];
}
