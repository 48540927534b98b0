import type { FlowKey } from "../flows/flow-key.ts";
import type { FlowPolicy } from "../flows/record.ts";
import type { Direction, PolicyReference } from "../simulator/model.ts";
import type { FlowCause } from "./flow-cause.ts";
import { otherPolicyName, type Sees } from "./flow-sight.ts";
import { flowName } from "./flow-words.ts";

/** Why it is denied, as a clause that ends a line: `by default deny of payments/default-deny`. */
export function causeWords(cause: FlowCause, direction: FlowKey["direction"], sees: Sees): string {
  switch (cause.kind) {
    case "named":
      return `by rule of ${listed(someOf(cause.policies.map((policy) => namedWords(policy, sees))), "and")}`;
    case "ours":
      return sees(cause.namespace)
        ? `by ${cause.is} ${cause.operation}, which is Bulkhead's own`
        : `by ${otherPolicyName}`;
    case "default-deny":
      return `${defaultDenyWords(cause.policies, sees)}${otherSideWords(cause.side, direction)}`;
    case "rule": {
      const { policy, rule } = cause;
      return isSeen(policy, sees)
        ? `by ${policy.kind} ${policyWords(policy)}, ${flowName(rule)}`
        : `by rule of ${otherPolicyName}`;
    }
    case "l7":
      return "refused by a proxy, by a rule of L7";
    case "authentication":
      return "since the peer is to authenticate itself and has not";
    case "allowed":
      return "although the policies allow it now: partial enforcement, wrong labels, or stale state";
    case "undecided":
      return `undecided by which policy: ${flowName(cause.why)}`;
    case "unknown":
      return `by which policy was not worked out: ${flowName(cause.why)}`;
  }
}

/** What the source says of why, where it names no policy; undefined where it says no more than that it was denied. */
export function reasonWords({ reason, policies }: Pick<FlowKey, "reason" | "policies">): string | undefined {
  if (reason === "rule") return policies.length > 0 ? undefined : "by a rule that the source does not name";
  if (reason === "l7" || reason === "authentication") return causeWords({ kind: reason }, undefined, () => true);
  return reason === "no-rule" ? "since no rule allows it" : undefined;
}

/** One policy is the default deny; of several none is: each of them could have allowed it. */
function defaultDenyWords(policies: readonly PolicyReference[], sees: Sees): string {
  const seen = policies.filter((policy) => isSeen(policy, sees));
  const [only, ...more] = seen;
  if (only === undefined) return `by default deny of ${otherPolicyName}`;
  if (more.length === 0) return `by default deny of ${policyWords(only)}`;
  const names = someOf(
    seen.map((policy, at) => (at > 0 && isBeside(policy, only) ? flowName(policy.name) : policyWords(policy))),
  );
  return `no rule of ${listed(names, "or")} (they select it) allows it`;
}

/** The source says on which side it was dropped, and by the policies it is the other one. */
function otherSideWords(side: Direction, told: FlowKey["direction"]): string {
  return told === undefined || told === side ? "" : ` (by the policies on ${side}, whatever the source says)`;
}

function isBeside(policy: PolicyReference, other: PolicyReference): boolean {
  return policy.namespace === other.namespace;
}

function namedWords(policy: FlowPolicy, sees: Sees): string {
  if (!isSeen(policy, sees) || policy.name === otherPolicyName) return otherPolicyName;
  return `${policy.kind === undefined ? "" : `${flowName(policy.kind)} `}${policyWords(policy)}`;
}

function policyWords({ namespace, name }: Pick<PolicyReference, "namespace" | "name">): string {
  return `${namespace === undefined ? "" : `${flowName(namespace)}/`}${flowName(name)}`;
}

function isSeen({ namespace }: Pick<PolicyReference, "namespace">, sees: Sees): boolean {
  return namespace === undefined || sees(namespace);
}

/** So many policies are named in a line. */
const mostNamed = 4;

function someOf(names: readonly string[]): readonly string[] {
  const left = names.length - mostNamed;
  return left <= 1 ? names : [...names.slice(0, mostNamed), `${left} more`];
}

function listed(names: readonly string[], word: "and" | "or"): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} ${word} ${last}`;
}
