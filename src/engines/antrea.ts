import type { Endpoint } from "../policy/endpoint.ts";
import type { Ways } from "../policy/engine.ts";
import { quarantinePolicyName } from "../policy/marks.ts";
import type { NetworkPolicyPeer } from "../policy/objects.ts";
import { subtractCidrs } from "./cidrs.ts";
import type { Denial, Denies } from "./denial.ts";
import { inNamespace, podsOf } from "./namespaces.ts";
import { allowName } from "./rule-names.ts";

const version = "crd.antrea.io/v1beta1";

/**
 * A policy of Antrea in its first built-in tier: the endpoints are allowed, and everything else is dropped (facts:
 * network-policy §2.5). It is namespaced wherever that kind is served. All that the webhook would fill in is written.
 */
export function denyByAntrea(denial: Denial, { served }: Ways): Denies {
  const { operation, namespace, subject, endpoints, labels, annotations } = denial;
  const isCluster =
    !served.includes(`${version}/networkpolicies`) && served.includes(`${version}/clusternetworkpolicies`);
  const policy = {
    apiVersion: version,
    kind: isCluster ? "ClusterNetworkPolicy" : "NetworkPolicy",
    metadata: { name: quarantinePolicyName(operation), ...(isCluster ? {} : { namespace }), labels, annotations },
    spec: {
      tier: "emergency",
      priority: 1,
      appliedTo: [{ ...(isCluster ? { namespaceSelector: inNamespace(namespace) } : {}), podSelector: subject }],
      ingress: [...allowRules(endpoints, "ingress", namespace), { name: "drop-ingress", ...drop }],
      egress: [...allowRules(endpoints, "egress", namespace), { name: "drop-egress", ...drop }],
    },
  };
  return { objects: [policy], notes: endpoints.flatMap(unresolved) };
}

/** Without peers: everything. What the subject still tries is evidence. */
const drop = { action: "Drop", enableLogging: true };

function allowRules(
  endpoints: readonly Endpoint[],
  direction: Endpoint["direction"],
  namespace: string,
): readonly object[] {
  return endpoints
    .filter((each) => each.direction === direction)
    .map((endpoint, index) => ({
      ...endpoint,
      name: allowName(endpoint, index),
      peers: peersOf(endpoint.peer, namespace),
    }))
    .filter(({ peers }) => peers.length > 0)
    .map(({ name, peers, ports }) => ({
      name,
      action: "Allow",
      [direction === "ingress" ? "from" : "to"]: peers,
      ...(ports.length === 0 ? {} : { ports: ports.map((port) => ({ protocol: "TCP", ...port })) }),
      enableLogging: false,
    }));
}

/** Names of ports are those of pods that a selector finds. */
function unresolved({ name, direction, peer, ports }: Endpoint): readonly string[] {
  const names = ports.flatMap(({ port }) => (typeof port === "string" ? [port] : []));
  if (direction === "ingress" || peer.ipBlock === undefined || names.length === 0) return [];
  return [`Endpoint ${name} stays denied on port ${names.join(", ")}: Antrea finds no names of ports by addresses.`];
}

/** None would be everything. Exceptions are cut out here, so that no version of the CRD can drop them. */
function peersOf(peer: NetworkPolicyPeer, namespace: string): readonly object[] {
  const { ipBlock } = peer;
  if (ipBlock === undefined) return [podsOf(peer, namespace)];
  return subtractCidrs([ipBlock.cidr], ipBlock.except ?? []).map((cidr) => ({ ipBlock: { cidr } }));
}
