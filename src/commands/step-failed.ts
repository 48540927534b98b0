import { manifestName } from "../policy/manifest.ts";
import type { QuarantinePlan } from "../policy/plan.ts";

/** Thrown by a step that may not go on; `left` says what of ours is in the cluster then. */
export class StepFailed extends Error {
  readonly left: string;
  constructor(message: string, left: string) {
    super(message);
    this.name = "StepFailed";
    this.left = left;
  }
}

/** What is in the cluster where a quarantine stops after its label was written. */
export function leftBehind({ policy, denies = [] }: QuarantinePlan): string {
  return `${[policy, ...denies].map(manifestName).join(", ")} in force for a pod with its label; release this operation to end that.`;
}
