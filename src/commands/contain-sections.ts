import { manifestName } from "../policy/manifest.ts";
import type { ContainPlan, LiftPlan } from "../policy/plan.ts";
import { selectorQuery } from "../policy/selector.ts";
import { counted } from "./impact-words.ts";
import { forReference, optional, residualItems, waitWords } from "./plan-sections.ts";
import type { Section } from "./reply.ts";

/** What the quarantine of a workload or a lockdown, or the end of one, would write and change. */
export function groupSections(plan: ContainPlan | LiftPlan): readonly Section[] {
  return plan.kind === "contain" ? containSections(plan) : liftSections(plan);
}

function containSections(plan: ContainPlan): readonly Section[] {
  return [
    ...optional("Warning", [...plan.warnings, ...(plan.impact?.warnings ?? [])]),
    ...optional("Its selector catches other workloads too", plan.alsoCaught),
    ...optional("Allowances that this ends", plan.ends ?? []),
    ...optional("Stays open, by the policy that leaves it open", residualItems(plan)),
    ...optional("What can be done about that", plan.next),
    { kind: "list", title: "What changes", items: [...plan.effects, ...(plan.impact?.effects ?? [])], mustRead: true },
    ...forReference("What is cut (by port where policies, Services or container ports tell one)", plan.impact?.loses),
    { kind: "list", title: "What will be written, in this order", items: writes(plan), mustRead: true },
    ...forReference("To be rotated: what could be read in there", plan.impact?.rotate),
    { kind: "list", title: "What this does not cut", items: plan.notCut },
  ];
}

function writes({ policy, denies, settleMs }: ContainPlan): readonly string[] {
  const { name, namespace } = policy.metadata;
  const allows = (policy.spec.ingress ?? []).length + (policy.spec.egress ?? []).length;
  const but =
    allows === 0 ? "no ingress, no egress" : `no ingress, no egress but what stays open (${counted(allows, "rule")})`;
  return [
    `NetworkPolicy ${namespace}/${name} for pods with ${selectorQuery(policy.spec.podSelector ?? {})}: ${but}`,
    ...denies.map(manifestName),
    waitWords(denies, settleMs),
  ];
}

function liftSections({ warnings, effects, removes }: LiftPlan): readonly Section[] {
  return [
    ...optional("Warning", warnings),
    { kind: "list", title: "What changes", items: effects, mustRead: true },
    { kind: "list", title: "What will be deleted, in this order", items: removes, mustRead: true },
  ];
}
