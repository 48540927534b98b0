import { quarantinePolicyName } from "../policy/marks.ts";
import { type AdminLimits, type AdminRule, adminRules, adminSubject, ingressNote } from "./admin-rules.ts";
import type { Denial, Denies } from "./denial.ts";
import type { PortRange } from "./port-ranges.ts";

/** As its CRD has them (network-policy-api v0.1.7; facts: network-policy §2.1). */
const limits: AdminLimits = { kind: "AdminNetworkPolicy", rules: 100, peers: 100, ports: 100 };

/**
 * An AdminNetworkPolicy at priority 0, the first that there is and one that OVN-Kubernetes takes (0 to 99; facts:
 * network-policy §2.1).
 */
export function denyByAdminNetworkPolicy(denial: Denial): Denies {
  const { operation, labels, annotations } = denial;
  const [ingress, egress] = [adminRules(denial, "ingress", limits), adminRules(denial, "egress", limits)];
  const policy = {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: limits.kind,
    metadata: { name: quarantinePolicyName(operation), labels, annotations },
    spec: {
      priority: 0,
      subject: adminSubject(denial),
      ingress: ingress.rules.map((rule) => ruleOf(rule, "from")),
      egress: egress.rules.map((rule) => ruleOf(rule, "to")),
    },
  };
  return { objects: [policy], notes: [...new Set([ingressNote(limits), ...ingress.notes, ...egress.notes])] };
}

function ruleOf({ name, allows, peers, numbers }: AdminRule, list: "from" | "to"): object {
  const ports = numbers === "all" ? {} : { ports: numbers.map(portOf) };
  return { name, action: allows ? "Allow" : "Deny", [list]: peers, ...ports };
}

function portOf({ protocol, from, to }: PortRange): object {
  return from === to ? { portNumber: { protocol, port: from } } : { portRange: { protocol, start: from, end: to } };
}
