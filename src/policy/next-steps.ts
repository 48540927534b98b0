import { type DenyEngine, denyEngines, type EngineState } from "./engine.ts";
import type { Choices, ResidualAllow } from "./plan.ts";
import { type Target, targetKind, targetReference } from "./target.ts";

/** Where a containment leaves something open. */
export type Left = {
  readonly target: Target;
  /** `plan`: nothing is written yet; `in-force`: it is. */
  readonly stage: "plan" | "in-force";
  readonly engine: DenyEngine;
  /** What was typed beside the target, which the next command has to hold too; undefined in plans of early records. */
  readonly choices: Choices | undefined;
  readonly engines: readonly EngineState[];
  readonly residual: readonly ResidualAllow[];
  /** Whether a quarantine can change the policies of others (`--change-policies`). */
  readonly changesPolicies: boolean;
};

/** What a person can do about what stays open, a sentence each, with the command to type at its end. */
export function nextSteps(left: Left): readonly string[] {
  const { target, stage, engine, choices, engines, residual, changesPolicies } = left;
  if (residual.length === 0) return [];
  const stronger = denyEngines.slice(0, denyEngines.indexOf(engine));
  const enforced = engines.filter((each) => stronger.includes(each.engine) && each.state === "enforced");
  const verb = targetKind(target) === "Namespace" ? "lockdown" : "quarantine";
  const command = (more: Partial<Choices>): string => {
    return `/np ${verb} ${target.cluster}:${targetReference(target)}${choiceWords({ engine: undefined, detach: undefined, ...choices, ...more })}`;
  };
  const first = stage === "plan" ? "Cancel this" : "Release it";
  const steps = [
    ...enforced.map((each) => `${first}, and deny with a stronger engine: ${command({ engine: each.engine })}`),
    ...(changesPolicies
      ? [
          `${first}, and see a plan that also changes these policies so that they let the pod go: ${command({ changePolicies: true })}`,
        ]
      : []),
  ];
  if (steps.length > 0) return steps;
  const other = target.pod === undefined ? "quarantine single pods, whose labels come off then" : "delete the pod";
  return [`No stronger engine is known to be enforced here: change these policies, or ${other}.`];
}

/** The choices as they are typed, each after a space: ` --engine cilium --no-detach`. */
export function choiceWords(choices: Choices | undefined): string {
  const { engine, detach, changePolicies, confirm, override } = choices ?? {};
  const engineChoice = engine === undefined ? "" : ` --engine ${engine}`;
  const detachWords = detach === undefined ? "" : detach ? " --detach" : " --no-detach";
  const confirmWords = confirm === undefined ? "" : ` --confirm ${confirm}`;
  const flags = `${changePolicies === true ? " --change-policies" : ""}${override === true ? " --override" : ""}`;
  return `${engineChoice}${detachWords}${flags}${confirmWords}`;
}
