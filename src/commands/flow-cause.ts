import type { FlowKey } from "../flows/flow-key.ts";
import type { FlowPolicy } from "../flows/record.ts";
import type { Simulator } from "../simulator/compile.ts";
import type { Reason } from "../simulator/decide.ts";
import type { Direction, PolicyReference } from "../simulator/model.ts";
import { decidePairs, type PairAnswer } from "./explain-pairs.ts";
import { reasonLines } from "./explain-words.ts";
import { endsOf } from "./flow-ends.ts";

/**
 * Which policy denies a flow. Never what a source says that allowed it (facts: denied-flows §1, attribution), and of a default deny never
 * its guess.
 */
export type FlowCause =
  /** By explicit denies that the source names. */
  | { readonly kind: "named"; readonly policies: readonly FlowPolicy[] }
  /** By what an operation of ours has in force. */
  | ({ readonly kind: "ours" } & Own)
  /** These select it on that side, and no rule of any allows it. */
  | { readonly kind: "default-deny"; readonly policies: readonly PolicyReference[]; readonly side: Direction }
  | { readonly kind: "rule"; readonly policy: PolicyReference; readonly rule: string }
  /** No policy of L3 and L4 decides it. */
  | { readonly kind: "l7" | "authentication" }
  /** A finding: by all policies together it is allowed now, and it is denied. */
  | { readonly kind: "allowed" }
  /** A clause that says on what it depends. */
  | { readonly kind: "undecided"; readonly why: string }
  /** It was not worked out. */
  | { readonly kind: "unknown"; readonly why: string };

/** An operation of ours, and where it acts: whoever may not look there may not know of it. */
type Own = { readonly operation: string; readonly is: string; readonly namespace: string };

/** An operation by whatever it has written: see operationsInForce. */
export type OwnPolicies = ReadonlyMap<string, Own>;

/** How a policy is looked for in OwnPolicies, whatever its kind: our names are used once. */
export function ownKey({
  namespace,
  name,
}: {
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return `${namespace ?? ""}/${name}`;
}

/** What the simulator has of the cluster, and what it has not. */
export type FlowJudge = {
  readonly simulator: Simulator;
  readonly own: OwnPolicies;
  /** Names of what could not be read: an "allowed" is then none for sure. */
  readonly unread: readonly string[];
};

/** The policy by the source's word where a rule denies, else by the policies that are there now. */
export function causeOf(judge: FlowJudge, key: FlowKey): FlowCause {
  const ours = ownOf(judge, key.policies);
  if (ours !== undefined) return ours;
  if (key.policies.length > 0) return { kind: "named", policies: key.policies };
  if (key.reason === "l7" || key.reason === "authentication") return { kind: key.reason };
  const found = judgement(judge.simulator, key);
  if (found.verdict === "denied") return deniedBy(judge, found.because, found.side);
  if (found.verdict === "allowed" && judge.unread.length > 0) {
    return { kind: "undecided", why: `what could be read allows it, and not all could be: ${judge.unread[0] ?? ""}` };
  }
  if (found.verdict === "allowed") return { kind: "allowed" };
  return { kind: found.verdict, why: found.why };
}

/** Whether the policies of that simulator surely allow it. */
export function isAllowedIn(simulator: Simulator, key: FlowKey): boolean {
  return judgement(simulator, key).verdict === "allowed";
}

type Judgement =
  | { readonly verdict: "allowed" }
  | { readonly verdict: "denied"; readonly because: readonly Reason[]; readonly side: Direction }
  | { readonly verdict: "undecided" | "unknown"; readonly why: string };

/** Of all the pods that may have been its ends together: who is denied tells who denies. */
function judgement(simulator: Simulator, key: FlowKey): Judgement {
  const ends = endsOf(simulator, key);
  if ("why" in ends) return { verdict: "unknown", why: ends.why };
  const { answers } = decidePairs(simulator, ends);
  const sides = [key.direction ?? "egress", key.direction === "egress" ? "ingress" : "egress"] as const;
  const both: readonly Direction[] = key.direction === undefined ? ["egress", "ingress"] : sides;
  for (const side of both) {
    const denied = answers.find(({ answer }) => answer[side].verdict === "denied");
    if (denied !== undefined) return { verdict: "denied", because: denied.answer[side].because, side };
  }
  if (!ends.exact) return { verdict: "undecided", why: "which address or port it was is not known" };
  const open = answers.find(({ answer }) => answer.verdict !== "allowed");
  return open === undefined ? { verdict: "allowed" } : { verdict: "undecided", why: undecidedWords(open, both) };
}

function undecidedWords({ answer }: PairAnswer, sides: readonly Direction[]): string {
  const side = sides.find((one) => answer[one].verdict === "undecided") ?? "egress";
  const [first = "what is not evaluated"] = reasonLines(answer[side]);
  return first.replace(/\.$/, "").replace(/^Perhaps/, "perhaps");
}

function deniedBy(judge: FlowJudge, because: readonly Reason[], side: Direction): FlowCause {
  const isolated = because.find((reason) => reason.kind === "isolated");
  const rule = because.find((reason) => reason.kind === "rule" && reason.action === "deny");
  const policies = isolated?.kind === "isolated" ? isolated.policies : [];
  const ours = ownOf(judge, [...(rule?.kind === "rule" ? [rule.policy] : []), ...policies]);
  if (ours !== undefined) return ours;
  if (rule?.kind === "rule") return { kind: "rule", policy: rule.policy, rule: rule.rule };
  return { kind: "default-deny", policies, side };
}

function ownOf(
  { own }: FlowJudge,
  policies: readonly Pick<PolicyReference, "namespace" | "name">[],
): FlowCause | undefined {
  const found = policies.map((policy) => own.get(ownKey(policy))).find((one) => one !== undefined);
  return found === undefined ? undefined : { kind: "ours", ...found };
}
