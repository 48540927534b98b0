import { approvalsFor, whoMustAgree } from "../policy/approval.ts";
import { isDue } from "../policy/debt.ts";
import { type Approval, isUndecided, type Operation } from "../policy/operation.ts";
import type { Plan } from "../policy/plan.ts";
import { principalName } from "../policy/principal.ts";
import type { Section } from "./reply.ts";

/** Who has to agree, who has, and until when; and who is still to look at what was done. */
export function agreements(operation: Operation): readonly Section[] {
  return [...approvalSection(operation), ...debtSection(operation)];
}

/** Guard rails that the plan goes beyond, for those who agree to it. */
export function overrideFields(plan: Plan | undefined): readonly (readonly [string, string])[] {
  const overrides =
    plan === undefined || plan.kind === "allow" || plan.kind === "release" ? [] : (plan.overrides ?? []);
  return overrides.length === 0 ? [] : [["Overrides", overrides.join("; ")]];
}

function approvalSection({ plan, approval, state, target }: Operation): readonly Section[] {
  const needs = approval ?? (plan === undefined ? undefined : approvalsFor(plan));
  if (needs === undefined || needs.needed === 0) return [];
  const items = [
    ...(isUndecided(state) ? [`Needs the agreement of ${whoMustAgree(needs, { target })}.`] : []),
    ...(approval === undefined ? [] : given(approval)),
    ...(approval !== undefined && state === "awaiting-approval"
      ? [`Expires at ${iso(approval.expiresAt)}, unless they approve before.`]
      : []),
  ];
  const title = approval === undefined ? "Approval" : `Approval: ${approval.given.length} of ${approval.needed}`;
  return items.length === 0 ? [] : [{ kind: "list", title, items, mustRead: true }];
}

function given(approval: Approval): readonly string[] {
  return approval.given.map(({ by, at }) => `Approved by ${principalName(by)} at ${iso(at)}.`);
}

function debtSection(operation: Operation): readonly Section[] {
  const { debt, id } = operation;
  if (debt?.reviewed !== undefined) {
    const { by, at, note } = debt.reviewed;
    return [{ kind: "text", text: `Reviewed by ${principalName(by)} at ${iso(at)}: ${note}` }];
  }
  if (debt === undefined || !isDue(operation)) return [];
  const text = `NEEDS REVIEW (${debt.because}): somebody else with the right approve types /np review ${id} and what they found.`;
  return [{ kind: "text", text }];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
