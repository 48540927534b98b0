import { type DenyEngine, denyEngines, type EngineState } from "./engine.ts";
import type { ResidualAllow } from "./plan.ts";
import type { Target } from "./target.ts";

/** Where a containment leaves something open. */
export type Left = {
  readonly target: Target;
  /** `plan`: nothing is written yet; `in-force`: it is. */
  readonly stage: "plan" | "in-force";
  readonly engine: DenyEngine;
  readonly engines: readonly EngineState[];
  readonly residual: readonly ResidualAllow[];
  /** Whether a quarantine can change the policies of others (`--change-policies`). */
  readonly changesPolicies: boolean;
};

/** What a person can do about what stays open, a sentence each, with the command to type at its end. */
export function nextSteps({ target, stage, engine, engines, residual, changesPolicies }: Left): readonly string[] {
  if (residual.length === 0) return [];
  const stronger = denyEngines.slice(0, denyEngines.indexOf(engine));
  const enforced = engines.filter((each) => stronger.includes(each.engine) && each.state === "enforced");
  const { cluster, namespace, pod } = target;
  const command = `/np quarantine ${cluster}:${namespace}/${pod}`;
  const first = stage === "plan" ? "Cancel this" : "Release it";
  const steps = [
    ...enforced.map((each) => `${first}, and deny with a stronger engine: ${command} --engine ${each.engine}`),
    ...(changesPolicies
      ? [
          `${first}, and see a plan that also changes these policies so that they let the pod go: ${command} --change-policies`,
        ]
      : []),
  ];
  return steps.length > 0
    ? steps
    : ["No stronger engine is known to be enforced here: change these policies, or delete the pod."];
}
