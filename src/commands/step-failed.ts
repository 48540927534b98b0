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
export function leftBehind({ policy }: QuarantinePlan): string {
  return `NetworkPolicy ${policy.metadata.name} is in force for a pod with its label; release this operation to end that.`;
}
