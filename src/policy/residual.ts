import type {
  LabelSelector,
  Labels,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  PolicyType,
} from "./objects.ts";
import type { ResidualAllow } from "./plan.ts";
import { selectorQuery, selects } from "./selector.ts";

/**
 * The policies that would still allow something to or from a pod with these labels. Policies are a union, so one of
 * these keeps a quarantined pod reachable; with only required labels off, those with empty or negative selectors remain.
 */
export function residualAllows(policies: readonly NetworkPolicy[], labels: Labels): readonly ResidualAllow[] {
  return policies
    .filter(({ spec }) => selects(spec.podSelector, labels))
    .map((policy) => ({ policy: policy.metadata.name, allows: allowsInWords(policy) }))
    .filter(({ allows }) => allows !== "");
}

/**
 * The directions that a policy isolates. Absent or empty `policyTypes` is Ingress, and Egress only where there are
 * egress rules (facts: network-policy §1, defaults.go).
 */
export function policyTypes({ spec }: NetworkPolicy): readonly PolicyType[] {
  if (spec.policyTypes !== undefined && spec.policyTypes.length > 0) return spec.policyTypes;
  return (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

function allowsInWords(policy: NetworkPolicy): string {
  const types = policyTypes(policy);
  const ingress = types.includes("Ingress") ? (policy.spec.ingress ?? []) : [];
  const egress = types.includes("Egress") ? (policy.spec.egress ?? []) : [];
  return [
    ...ingress.map(({ from, ports }) => `in from ${peersInWords(from)}${portsInWords(ports)}`),
    ...egress.map(({ to, ports }) => `out to ${peersInWords(to)}${portsInWords(ports)}`),
  ].join("; ");
}

/** Absent or empty is every peer; each item is one, ORed. */
function peersInWords(peers: readonly NetworkPolicyPeer[] | undefined): string {
  return peers === undefined || peers.length === 0 ? "anywhere" : peers.map(peerInWords).join(" or ");
}

function peerInWords({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer): string {
  if (ipBlock !== undefined) {
    const except = (ipBlock.except ?? []).length > 0 ? ` except ${(ipBlock.except ?? []).join(", ")}` : "";
    return `${ipBlock.cidr}${except}`;
  }
  const where = namespaceSelector === undefined ? "this namespace" : named("namespaces", namespaceSelector);
  return `${podSelector === undefined ? "all pods" : named("pods", podSelector)} of ${where}`;
}

function named(things: string, selector: LabelSelector): string {
  const query = selectorQuery(selector);
  return query === "" ? `all ${things}` : `${things} with ${query}`;
}

function portsInWords(ports: readonly NetworkPolicyPort[] | undefined): string {
  if (ports === undefined || ports.length === 0) return "";
  return ` on ${ports.map(portInWords).join(", ")}`;
}

function portInWords({ protocol = "TCP", port, endPort }: NetworkPolicyPort): string {
  if (port === undefined) return `any ${protocol} port`;
  return `${protocol} ${port}${endPort === undefined ? "" : `-${endPort}`}`;
}
