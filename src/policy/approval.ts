import { type Access, decideAccess, type Place, type Verb } from "./access.ts";
import { type Refusal, refusal } from "./guard.ts";
import type { Operation } from "./operation.ts";
import { keysOf, samePerson } from "./people.ts";
import type { Plan } from "./plan.ts";
import { type Principal, principalName } from "./principal.ts";

/** How many other people must agree before anything is written, and who counts: see Approval. */
export type Needed = { readonly needed: number; readonly from: readonly string[] };

const none: Needed = { needed: 0, from: [] };

/** What a plan needs. Who overrides a guard rail needs one other person; who breaks the glass acts alone. */
export function approvalsFor(plan: Plan): Needed {
  if (plan.kind === "allow" || plan.kind === "undo") return plan.breakGlass ? none : plan.approvals;
  if (plan.kind === "release") return none;
  return plan.choices?.override === true ? { needed: 1, from: [] } : none;
}

/** Whether it acts without the agreement that others would have to give. */
export function breaksGlass(plan: Plan | undefined): boolean {
  return (plan?.kind === "allow" || plan?.kind === "undo") && plan.breakGlass;
}

/** Every namespace in which the operation writes: an allowance may open both ends of a path. */
export function placesOf({ target, plan }: Pick<Operation, "target" | "plan">): readonly Required<Place>[] {
  const namespaces = new Set([target.namespace, ...namespacesOf(plan)]);
  return [...namespaces].map((namespace) => ({ cluster: target.cluster, namespace }));
}

function namespacesOf(plan: Operation["plan"]): readonly string[] {
  if (plan?.kind === "allow") return plan.objects.map(({ metadata }) => metadata.namespace);
  if (plan?.kind !== "undo") return [];
  return plan.writes.map(({ from, to }) => (to ?? from)?.metadata.namespace ?? "");
}

/** Why the principal lacks the right somewhere where the operation writes; undefined where it is granted in all of them. */
export function refuseRight(
  access: Access,
  principal: Principal,
  verb: Verb,
  operation: Operation,
): Refusal | undefined {
  for (const place of placesOf(operation)) {
    const decision = decideAccess(access, principal, verb, place);
    if (!decision.allowed) return refusal(decision.reason, lookAtWhoami);
  }
  return undefined;
}

const lookAtWhoami = "Type /np whoami to see what you may do.";

/**
 * Why this principal cannot be the second person of the operation, whether to approve, to deny or to review it
 * (invariant 8); undefined where it can. Whoever looks like the one who asked, or who confirmed it, is that person.
 */
export function refuseSecond(access: Access, principal: Principal, operation: Operation): Refusal | undefined {
  const nobody = refuseNobody(principal);
  if (nobody !== undefined) return nobody;
  const first = [operation.principal, ...(operation.confirmed === undefined ? [] : [operation.confirmed.by])];
  if (first.some((one) => samePerson(access.people, one, principal))) {
    return refusal(
      `${principalName(principal)} is, or looks like, whoever asked for it, and it needs somebody else`,
      "Ask somebody who has the right to approve. Where two people look alike, configuration (people) tells them apart.",
    );
  }
  return refuseRight(access, principal, "approve", operation);
}

/** Only a name that somebody vouches for can be told from another: Slack, or the API server itself. */
function refuseNobody(principal: Principal): Refusal | undefined {
  const next = "Press the button in Slack, or type it at a terminal with your own kubeconfig.";
  if (principal.kind === "in-pod") return refusal("in the container everybody is the one principal in-pod", next);
  if (principal.kind === "scheduler") return refusal("the scheduler decides nothing that people must", next);
  const isVouchedFor = principal.kind === "slack" || vouching.has(principal.source);
  return isVouchedFor ? undefined : refusal("the API server has not confirmed who you are", next);
}

const vouching: ReadonlySet<string> = new Set(["self-subject-review", "client-certificate"]);

/** Why this principal's word on the request does not count now; undefined where it does. */
export function refuseVoter(access: Access, principal: Principal, operation: Operation): Refusal | undefined {
  const { approval } = operation;
  if (approval === undefined) return refusal("nobody has asked for an approval of it", "Look at /np status.");
  return refuseSecond(access, principal, operation) ?? refuseOutsider(access, principal, approval.from);
}

function refuseOutsider(access: Access, principal: Principal, from: readonly string[]): Refusal | undefined {
  if (from.length === 0 || keysOf(access.people, principal).some((key) => from.includes(key))) return undefined;
  return refusal(`only these count for it: ${from.join(", ")}`, "Ask one of them.");
}

/** Why this principal's approval adds nothing: one person counts once, however many ids are theirs. */
export function refuseRepeated(access: Access, principal: Principal, { approval }: Operation): Refusal | undefined {
  const before = approval?.given.find(({ by }) => samePerson(access.people, by, principal));
  if (before === undefined) return undefined;
  const who = principalName(before.by);
  return refusal(
    `${who} has approved it already, and you are, or look like, the same person`,
    "It needs somebody else.",
  );
}

/** Whether nobody can approve it any more. */
export function isExpired({ approval }: Operation, now: number): boolean {
  return approval !== undefined && approval.expiresAt <= now;
}

/** `1 of 2 other people, each in slack-group:T1/S1, with the right approve` without the count so far. */
export function whoMustAgree({ needed, from }: Needed, { target }: Pick<Operation, "target">): string {
  const people = needed === 1 ? "1 other person" : `${needed} other people`;
  const named = from.length === 0 ? "" : `, of ${from.join(", ")},`;
  return `${people}${named} with the right approve in ${target.namespace}`;
}

/** `approved by bob (U2)`, `approved by bob (U2) and carol (U3)`; undefined where nobody did. */
export function approvedBy({ approval }: Pick<Operation, "approval">): string | undefined {
  const names = (approval?.given ?? []).map(({ by }) => principalName(by));
  return names.length === 0 ? undefined : `approved by ${names.join(" and ")}`;
}
