import { type PeerContext, peersOf } from "./cilium-peers.ts";
import { partOf } from "./cilium-ports.ts";
import type { CiliumRule } from "./cilium-schema.ts";
import type { Rule } from "./model.ts";

export type RulesInModel = { readonly rules: readonly Rule[]; readonly notEvaluated: readonly string[] };

export type RuleList = {
  readonly action: "allow" | "deny";
  /** `ingressDeny`, `specs[1].egress`. */
  readonly name: string;
  readonly rules: readonly CiliumRule[];
};

/** Every rule of a list. What is gated by L7 is a rule of its own, which applies perhaps. */
export function rulesOf({ action, name, rules }: RuleList, context: PeerContext): RulesInModel {
  const parts = rules.map((rule, index) => translateRule(rule, { action, name: `${name}[${index}]` }, context));
  return {
    rules: parts.flatMap(({ rules: each }) => each),
    notEvaluated: parts.flatMap(({ notEvaluated }) => notEvaluated),
  };
}

type Head = Pick<Rule, "action" | "name">;

function translateRule(rule: CiliumRule, head: Head, context: PeerContext): RulesInModel {
  const peers = peersOf(rule, context);
  const notes = notesOf(rule).map((note) => `${head.name}: ${note}`);
  if (rule.toPorts.length > 0) return withPorts(rule, { ...head, peers, ports: [] }, notes);
  if (rule.icmps.length > 0) return { rules: [], notEvaluated: notes };
  if (peers === "all") return { rules: emptyRule(head), notEvaluated: notes };
  return { rules: [{ ...head, peers, ports: "all", ...gate(rule, undefined) }], notEvaluated: notes };
}

function notesOf({ icmps, entities = [] }: CiliumRule): readonly string[] {
  return [
    ...(icmps.length > 0 ? ["ICMP is not evaluated"] : []),
    ...(entities.includes("cluster")
      ? ["an API server outside belongs to the entity cluster too, and is not known"]
      : []),
  ];
}

/**
 * The rule `{}` allows nothing: it is how everything is denied by default (documentation: Layer 3 Policies, Ingress/Egress
 * Default Deny). What it is among denies is not documented, and read as nothing in one part of the source (pkg/policy/types),
 * as everything in another (pkg/policy/testutils).
 */
function emptyRule(head: Head): readonly Rule[] {
  if (head.action === "allow") return [];
  const maybe = "whether an empty deny rule denies everything or nothing is not documented";
  return [{ ...head, peers: "all", ports: "all", maybe }];
}

function withPorts(rule: CiliumRule, { action, name, peers }: Rule, notes: readonly string[]): RulesInModel {
  const parts = rule.toPorts.map((entry, index) => ({ ...partOf(entry), name: `${name}.toPorts[${index}]` }));
  const plain = parts.filter(({ maybe }) => maybe === undefined).flatMap(({ ports }) => ports);
  const gated = parts.filter(({ maybe }) => maybe !== undefined);
  return {
    rules: [
      ...(plain.length === 0 ? [] : [{ action, name, peers, ports: plain, ...gate(rule, undefined) }]),
      ...gated.map(({ name: part, ports, maybe }) => ({ action, name: part, peers, ports, ...gate(rule, maybe) })),
    ],
    notEvaluated: [
      ...notes,
      ...parts.flatMap(({ name: part, note }) => (note === undefined ? [] : [`${part}: ${note}`])),
    ],
  };
}

function gate({ authentication }: CiliumRule, l7: string | undefined): Pick<Rule, "maybe"> {
  if (l7 !== undefined) return { maybe: l7 };
  return authentication === "disabled" ? {} : { maybe: `authentication (${authentication}) is not evaluated` };
}
