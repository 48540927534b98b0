import { type Fields, fieldsOf, listIn, nameIn } from "./fields.ts";
import type { FlowPolicy, FlowRecord } from "./record.ts";

/** The fields of goldmane.FlowKey that count here. */
export type GoldmaneKey = Fields<
  | "source_name"
  | "source_namespace"
  | "source_type"
  | "dest_name"
  | "dest_namespace"
  | "dest_type"
  | "dest_port"
  | "proto"
  | "reporter"
  | "action"
  | "policies"
>;

type Decided = Pick<FlowRecord, "verdict" | "direction" | "policies">;

/**
 * What its reporter decided; undefined where another one has the last word, or nobody knows. A staged policy that would deny
 * what is allowed makes it `audited`: such traffic goes through. Both ends may say that of the same traffic, each in its direction.
 */
export function goldmaneVerdict(key: GoldmaneKey): Decided | undefined {
  const direction = directionOf(key.reporter);
  const { enforced_policies, pending_policies } = fieldsOf<"enforced_policies" | "pending_policies">(key.policies);
  if (isDeny(key.action)) {
    const { reason, policies } = denialOf(enforced_policies);
    return { verdict: { kind: "denied", reason }, direction, policies };
  }
  if (key.action !== 1 && key.action !== "Allow") return undefined;
  const { reason, policies } = denialOf(pending_policies);
  if (reason !== "unsaid") return { verdict: { kind: "audited", reason }, direction, policies };
  return hasLastWord(key) ? { verdict: { kind: "forwarded" }, direction, policies: [] } : undefined;
}

/** goldmane.Reporter. */
function directionOf(reporter: unknown): Decided["direction"] {
  if (reporter === "Src" || reporter === 1) return "egress";
  return reporter === "Dst" || reporter === 2 ? "ingress" : undefined;
}

/** goldmane.Action. */
function isDeny(action: unknown): boolean {
  return action === "Deny" || action === 2;
}

/** Of what the source allows to a pod or a host, the other end may deny it still, and reports it as well. */
function hasLastWord({ reporter, dest_type: type }: GoldmaneKey): boolean {
  if (directionOf(reporter) === "ingress") return true;
  return type === "NetworkSet" || type === 3 || type === "Network" || type === 4;
}

type Denial = { readonly reason: "rule" | "no-rule" | "unsaid"; readonly policies: readonly FlowPolicy[] };

/**
 * The hit that denies. The end of a tier names a policy that selects the endpoint, chosen from several by chance: none is
 * to blame for it, so it is left out (facts: denied-flows §0.2).
 */
function denialOf(hits: unknown): Denial {
  const hit = listIn(hits, mostHits).find((one) => isDeny(fieldsOf<"action">(one).action));
  if (hit === undefined) return { reason: "unsaid", policies: [] };
  const { kind, namespace, name, rule_index: index } = fieldsOf<"kind" | "namespace" | "name" | "rule_index">(hit);
  const kindName = typeof kind === "number" ? policyKinds.get(kind) : nameIn(kind);
  const named = nameIn(name);
  const isDefault = kindName === "EndOfTier" || kindName === "Profile" || index === -1 || index === "-1";
  if (isDefault || named === undefined) return { reason: isDefault ? "no-rule" : "rule", policies: [] };
  return { reason: "rule", policies: [{ kind: kindName, namespace: nameIn(namespace), name: named }] };
}

/** One for each tier that was asked. */
const mostHits = 32;

/** goldmane.PolicyKind, by number. */
const policyKinds: ReadonlyMap<number, string> = new Map([
  [1, "CalicoNetworkPolicy"],
  [2, "GlobalNetworkPolicy"],
  [3, "StagedNetworkPolicy"],
  [4, "StagedGlobalNetworkPolicy"],
  [5, "StagedKubernetesNetworkPolicy"],
  [6, "NetworkPolicy"],
  [9, "Profile"],
  [10, "EndOfTier"],
  [11, "ClusterNetworkPolicy"],
]);
