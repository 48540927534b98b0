import { nameIn } from "./fields.ts";
import type { DenyReason, FlowPolicy } from "./record.ts";

/** Whose an ACL is that denies. */
export type OvnAcl = {
  readonly reason: DenyReason;
  readonly policies: readonly FlowPolicy[];
  /** Where the pod is that it isolates. */
  readonly namespace: string | undefined;
};

/**
 * An ACL by its name, which OVN cuts after 63 characters (facts: denied-flows §4). `NP:namespace:Ingress` is the default deny of
 * all policies of a namespace, since rules of NetworkPolicies only allow. `ANP:name:Ingress:5` and `BANP:default:…` are rules. An
 * egress firewall (`EF:namespace:3`) is a rule, too, and no policy of the network. Older names are `namespace_policy`.
 */
export function ovnAcl(name: string): OvnAcl {
  const [type = "", ...parts] = name.split(":", 5);
  /** What a colon follows is whole. */
  const [owner] = parts.length > 1 ? parts : [];
  const kind = kinds.get(type);
  if (kind !== undefined) return { reason: "rule", policies: policiesOf(kind, owner), namespace: undefined };
  if (type === "EF") return { reason: "rule", policies: [], namespace: nameIn(owner) };
  return { reason: "no-rule", policies: [], namespace: type === "NP" ? nameIn(owner) : undefined };
}

const kinds: ReadonlyMap<string, string> = new Map([
  ["ANP", "AdminNetworkPolicy"],
  ["BANP", "BaselineAdminNetworkPolicy"],
]);

function policiesOf(kind: string, owner: string | undefined): readonly FlowPolicy[] {
  const name = nameIn(owner);
  return name === undefined ? [] : [{ kind, namespace: undefined, name }];
}
