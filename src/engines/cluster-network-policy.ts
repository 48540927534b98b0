import { quarantinePolicyName } from "../policy/marks.ts";
import { type AdminLimits, type AdminRule, adminRules, adminSubject, ingressNote } from "./admin-rules.ts";
import type { Denial, Denies } from "./denial.ts";
import type { PortRange } from "./port-ranges.ts";

/** As its CRD has them (network-policy-api v0.2.0; facts: network-policy §2.2). */
const limits: AdminLimits = { kind: "ClusterNetworkPolicy", rules: 25, peers: 25, ports: 25 };

/** A ClusterNetworkPolicy of the Admin tier at priority 0, the first that there is. */
export function denyByClusterNetworkPolicy(denial: Denial): Denies {
  const { operation, labels, annotations } = denial;
  const [ingress, egress] = [adminRules(denial, "ingress", limits), adminRules(denial, "egress", limits)];
  const policy = {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: limits.kind,
    metadata: { name: quarantinePolicyName(operation), labels, annotations },
    spec: {
      tier: "Admin",
      priority: 0,
      subject: adminSubject(denial),
      ingress: ingress.rules.map((rule) => ruleOf(rule, "from")),
      egress: egress.rules.map((rule) => ruleOf(rule, "to")),
    },
  };
  return { objects: [policy], notes: [...new Set([ingressNote(limits), ...ingress.notes, ...egress.notes])] };
}

function ruleOf({ name, allows, peers, numbers }: AdminRule, list: "from" | "to"): object {
  const protocols = numbers === "all" ? {} : { protocols: numbers.map(protocolOf) };
  return { name, action: allows ? "Accept" : "Deny", [list]: peers, ...protocols };
}

function protocolOf({ protocol, from, to }: PortRange): object {
  const destinationPort = from === to ? { number: from } : { range: { start: from, end: to } };
  return { [protocol.toLowerCase()]: { destinationPort } };
}
