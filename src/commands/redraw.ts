import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import type { AllowPlan, ContainPlan, Plan, QuarantinePlan } from "../policy/plan.ts";
import { drawAllow } from "./draw-allow.ts";
import { drawContain } from "./draw-contain.ts";
import { drawQuarantine } from "./draw-quarantine.ts";
import { redrawUndo } from "./draw-undo.ts";
import { findQuarantine } from "./find-quarantine.ts";
import { drawRelease } from "./release.ts";
import { clusterOf, type Services } from "./services.ts";
import { planning } from "./tracing.ts";

/**
 * The operation's plan as it would be drawn now, or why there is none any more. It is about to be written, so it is never
 * drawn from an old cache: KubernetesError is thrown where the cluster cannot be asked (isUnanswered).
 */
export function redraw(services: Services, operation: Operation): Promise<Plan | Refusal> {
  return planning(services, () => drawAgain(services, operation));
}

async function drawAgain(services: Services, operation: Operation): Promise<Plan | Refusal> {
  const { plan } = operation;
  if (plan === undefined) return refusal("it has no plan", "Type the command again.");
  if (plan.kind === "release") {
    const quarantine = await findQuarantine(services, { operation: plan.lifts });
    if (isRefusal(quarantine)) return quarantine;
    const keep = plan.mode === "objects" ? "any" : plan.keep;
    return drawRelease(services, quarantine, { deletePod: plan.mode === "delete", keep, from: "recent" });
  }
  if (plan.kind === "allow") return redrawAllow(services, operation, plan);
  if (plan.kind === "undo") return redrawUndo(services, operation, plan);
  if (plan.kind === "contain") return redrawGroup(services, operation, plan);
  return redrawPod(services, operation, plan);
}

async function redrawPod(
  services: Services,
  operation: Operation,
  plan: QuarantinePlan,
): Promise<QuarantinePlan | Refusal> {
  const { target } = plan;
  const pod = await clusterOf(services, target.cluster).cluster.getPod(target.namespace, target.pod);
  if (pod === undefined || pod.uid !== plan.podUid) return refusal("the pod is gone", "Nothing needs to be cut off.");
  const { choices = noChoices } = plan;
  const same = await drawQuarantine(services, operation, pod, { choices, from: "recent", again: plan });
  // What is shown anew is drawn anew.
  return isRefusal(same) || same.hash === plan.hash
    ? same
    : drawQuarantine(services, operation, pod, { choices, from: "recent" });
}

/** By the template as it is now, with the values as they were bound. */
function redrawAllow(services: Services, operation: Operation, plan: AllowPlan): Promise<AllowPlan | Refusal> {
  const { template, parameters, ttlSeconds, breakGlass, target } = plan;
  const asked = { template: template.name, values: parameters, ttlMs: ttlSeconds * 1_000, breakGlass };
  return drawAllow(services, operation, target, { ...asked, from: "recent" });
}

/** Plans of early records say nothing of them. */
const noChoices = { engine: undefined, detach: undefined };

/** As for a pod: what is shown anew is drawn anew. */
async function redrawGroup(
  services: Services,
  operation: Operation,
  plan: ContainPlan,
): Promise<ContainPlan | Refusal> {
  const { choices, target } = plan;
  const same = await drawContain(services, operation, target, { choices, from: "recent", again: plan });
  return isRefusal(same) || same.hash === plan.hash
    ? same
    : drawContain(services, operation, target, { choices, from: "recent" });
}
