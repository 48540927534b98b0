import { stringify } from "yaml";
import { formatDuration } from "../policy/duration.ts";
import type { Exclusion } from "../policy/exclusion.ts";
import { manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { LabelSelector } from "../policy/objects.ts";
import type { QuarantinePlan, ReleasePlan } from "../policy/plan.ts";
import type { Section } from "./reply.ts";

/** What a plan would write and change, for the card that asks for Confirm and for a dry run. */
export function planSections(plan: QuarantinePlan | ReleasePlan): readonly Section[] {
  return plan.kind === "quarantine" ? quarantineSections(plan) : releaseSections(plan);
}

/** What no policy cuts; said on every plan and every card of one in force. */
export const ownNode = "Traffic between the pod and its own node (kubelet probes) is not cut.";

const notCut = ["Open connections may survive: some engines apply a new policy to new connections only.", ownNode];

function quarantineSections(plan: QuarantinePlan): readonly Section[] {
  return [
    ...optional("Warning", [...plan.warnings, ...(plan.impact?.warnings ?? [])]),
    ...optional("Stays open, by the policy that leaves it open", residualItems(plan)),
    ...optional("What can be done about that", plan.next ?? []),
    ...(plan.exclusions ?? []).map(changeOfOthers),
    {
      kind: "list",
      title: "What changes",
      items: [...plan.effects, ...(plan.impact?.effects ?? [])],
      mustRead: true,
    },
    ...forReference("What is cut (by port where policies, Services or container ports tell one)", plan.impact?.loses),
    { kind: "list", title: "What will be written, in this order", items: quarantineWrites(plan), mustRead: true },
    ...forReference("To be rotated: what could be read in there", plan.impact?.rotate),
    { kind: "list", title: "What this does not cut", items: plan.notCut ?? notCut },
  ];
}

/** A policy that is not ours: what a person confirms has to be seen in full. */
function changeOfOthers({ namespace, name, before = {}, after }: Exclusion): Section {
  const title = `Change to NetworkPolicy ${namespace}/${name}, which is not Bulkhead's: release takes it back; GitOps may do so before`;
  const lines = (sign: string, selector: LabelSelector) =>
    stringify({ spec: { podSelector: selector } })
      .trimEnd()
      .split("\n")
      .map((line) => `${sign} ${line}`);
  return { kind: "code", title, text: [...lines("-", before), ...lines("+", after)].join("\n"), mustRead: true };
}

/** What is waited for between the denial and what comes next. */
export function waitWords(denies: readonly unknown[], settleMs: number): string {
  return denies.length === 0
    ? `a wait of ${formatDuration(settleMs)}, since NetworkPolicy reports no status`
    : `a wait for the engine's word that it is in force; where it has none, of ${formatDuration(settleMs)}`;
}

/** Policies that allow the same are one line: a namespace may have hundreds of them, and each has to be read. */
export function residualItems({ residual }: Pick<QuarantinePlan, "residual">): readonly string[] {
  const policies = new Map<string, string[]>();
  for (const { policy, allows } of residual) policies.set(allows, [...(policies.get(allows) ?? []), policy]);
  return [...policies].map(([allows, names]) => `${names.join(", ")}: ${allows}`);
}

function quarantineWrites({
  policy,
  denies = [],
  exclusions = [],
  removes,
  settleMs,
}: QuarantinePlan): readonly string[] {
  const { name, namespace } = policy.metadata;
  const allows = (policy.spec.ingress ?? []).length + (policy.spec.egress ?? []).length;
  const but = allows === 0 ? "no ingress, no egress" : `no ingress, no egress but the configured endpoints (${allows})`;
  return [
    `NetworkPolicy ${namespace}/${name}: ${but}`,
    ...denies.map((deny) => manifestName(deny)),
    `label ${marks.quarantine} on the pod`,
    waitWords(denies, settleMs),
    ...exclusions.map((one) => `spec.podSelector of NetworkPolicy ${one.namespace}/${one.name}, shown above`),
    removes.length === 0 ? "no label comes off" : `labels off the pod: ${removes.join(", ")}`,
  ];
}

function releaseSections(plan: ReleasePlan): readonly Section[] {
  return [
    ...optional("Warning", plan.warnings),
    { kind: "list", title: "What changes", items: plan.effects, mustRead: true },
    { kind: "list", title: "What will be written, in this order", items: releaseWrites(plan), mustRead: true },
  ];
}

function releaseWrites({ mode, labelsBefore, settleMs, lifts, keep, includes = [] }: ReleasePlan): readonly string[] {
  const removal = `what ${lifts} wrote deleted`;
  const back = includes.map((name) => `spec.podSelector of NetworkPolicy ${name} back to what it was`);
  if (mode === "clean-up") return [...back, removal];
  if (mode === "delete") return ["the pod deleted (by uid)", "a wait until it is gone", ...back, removal];
  const cost =
    keep === "any"
      ? []
      : [
          `annotation controller.kubernetes.io/pod-deletion-cost, to keep ${keep === "this" ? "this pod" : "the replacement"}`,
        ];
  return [
    `labels back on the pod: ${Object.keys(labelsBefore).toSorted().join(", ") || "none"}`,
    ...cost,
    ...back,
    `a wait of ${formatDuration(settleMs)} with both in place`,
    `label ${marks.quarantine} off the pod`,
    removal,
  ];
}

/** Shown where there is room for it: nobody has to have read it to confirm. */
export function forReference(title: string, items: readonly string[] = []): readonly Section[] {
  return items.length === 0 ? [] : [{ kind: "list", title, items }];
}

/** No section where there is nothing to say; else one without which Confirm is not to be offered. */
export function optional(title: string, items: readonly string[]): readonly Section[] {
  return items.length === 0 ? [] : [{ kind: "list", title, items, mustRead: true }];
}
