import type { Endpoint } from "../policy/endpoint.ts";
import { quarantinePolicyName } from "../policy/marks.ts";
import type {
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPort,
} from "../policy/objects.ts";
import type { Denial } from "./denial.ts";

/**
 * The NetworkPolicy that isolates the subject in both directions, with the endpoints as the only allows. Both policyTypes
 * are explicit: without Egress among them a policy that has no egress rules leaves egress open (facts: network-policy §1).
 */
export function denyByNetworkPolicy(denial: Denial): NetworkPolicy {
  const { operation, namespace, subject, endpoints, labels, annotations } = denial;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: quarantinePolicyName(operation), namespace, labels, annotations },
    spec: {
      podSelector: subject,
      policyTypes: ["Ingress", "Egress"],
      ...ingressRules(endpoints),
      ...egressRules(endpoints),
    },
  };
}

/** No member at all where there is no rule: the server drops an empty list, and a read-back would differ. */
function ingressRules(endpoints: readonly Endpoint[]): { ingress?: readonly NetworkPolicyIngressRule[] } {
  const rules = endpoints
    .filter(({ direction }) => direction === "ingress")
    .map(({ peer, ports }) => ({ from: [peer], ...portsOf(ports) }));
  return rules.length === 0 ? {} : { ingress: rules };
}

function egressRules(endpoints: readonly Endpoint[]): { egress?: readonly NetworkPolicyEgressRule[] } {
  const rules = endpoints
    .filter(({ direction }) => direction === "egress")
    .map(({ peer, ports }) => ({ to: [peer], ...portsOf(ports) }));
  return rules.length === 0 ? {} : { egress: rules };
}

/** The protocol is always written out, as the server would. */
function portsOf(ports: readonly NetworkPolicyPort[]): { ports?: readonly NetworkPolicyPort[] } {
  return ports.length === 0 ? {} : { ports: ports.map((port) => ({ protocol: "TCP", ...port })) };
}
