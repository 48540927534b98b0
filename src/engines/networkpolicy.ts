import { canonicalJson } from "../policy/canonical.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import { isLabelValue } from "../policy/incident.ts";
import { marks, quarantinePolicyName } from "../policy/marks.ts";
import type {
  Labels,
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPort,
} from "../policy/objects.ts";

/** What the quarantine object of one operation is made from. */
export type QuarantineChange = {
  readonly operation: string;
  readonly namespace: string;
  readonly pod: { readonly name: string; readonly uid: string };
  /** The pod's labels before, kept on the object so that they can be restored from the cluster alone. */
  readonly labelsBefore: Labels;
  readonly endpoints: readonly Endpoint[];
  /** The principal's key. */
  readonly principal: string;
  readonly reason: string;
  readonly incident: string | undefined;
};

/**
 * The NetworkPolicy that isolates the one pod which bears the operation's quarantine label, in both directions, with
 * the configured endpoints as the only allows. Both policyTypes are explicit: without Egress among them a policy
 * that has no egress rules leaves egress open (facts: network-policy §1).
 */
export function quarantineNetworkPolicy(change: QuarantineChange): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: quarantinePolicyName(change.operation),
      namespace: change.namespace,
      labels: {
        [marks.managedBy]: "bulkhead",
        [marks.operation]: change.operation,
        [marks.kind]: "quarantine",
        ...(change.incident !== undefined && isLabelValue(change.incident)
          ? { [marks.incident]: change.incident }
          : {}),
      },
      annotations: {
        [marks.principal]: change.principal,
        [marks.reason]: change.reason,
        ...(change.incident === undefined ? {} : { [marks.incident]: change.incident }),
        [marks.pod]: `${change.pod.name} ${change.pod.uid}`,
        [marks.snapshot]: canonicalJson(change.labelsBefore),
      },
    },
    spec: {
      podSelector: { matchLabels: { [marks.quarantine]: change.operation } },
      policyTypes: ["Ingress", "Egress"],
      ...ingressRules(change.endpoints),
      ...egressRules(change.endpoints),
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
