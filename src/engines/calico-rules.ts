import type { Endpoint } from "../policy/endpoint.ts";
import type { NetworkPolicyPeer, NetworkPolicyPort } from "../policy/objects.ts";
import { allOf, calicoSelector } from "./calico-selector.ts";
import { chunks } from "./port-ranges.ts";

/** As many ports as one side of a rule may have (Calico reference, EntityRule; its CRDs). */
const mostPorts = 50;

const protocols = ["TCP", "UDP", "SCTP"] as const;

/** One rule for each endpoint of the direction and each of its protocols. */
export function allowRules(
  endpoints: readonly Endpoint[],
  direction: Endpoint["direction"],
  namespace: string,
): readonly object[] {
  return endpoints
    .filter((each) => each.direction === direction)
    .flatMap(({ peer, ports }) => {
      const other = entityOf(peer, namespace);
      return portSets(ports).map(({ protocol, ports: numbers }) => ({
        action: "Allow",
        ...(protocol === undefined ? {} : { protocol }),
        ...(direction === "ingress" ? { source: other } : {}),
        ...destination(direction === "ingress" ? {} : other, numbers),
      }));
    });
}

function destination(entity: object, ports: readonly (number | string)[]): object {
  const all = { ...entity, ...(ports.length === 0 ? {} : { ports }) };
  return Object.keys(all).length === 0 ? {} : { destination: all };
}

/**
 * Network sets have labels and a namespace too; only pods are of the orchestrator `k8s` (as Calico writes it when it converts
 * NetworkPolicies).
 */
function entityOf({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, namespace: string): object {
  if (ipBlock !== undefined) {
    const { cidr, except = [] } = ipBlock;
    return { nets: [cidr], ...(except.length === 0 ? {} : { notNets: except }) };
  }
  const pods = calicoSelector({ matchLabels: { "projectcalico.org/orchestrator": "k8s" } });
  return {
    namespaceSelector: calicoSelector(namespaceSelector ?? { matchLabels: { "projectcalico.org/name": namespace } }),
    selector: allOf(pods, calicoSelector(podSelector ?? {})),
  };
}

type PortSet = { readonly protocol?: string; readonly ports: readonly (number | string)[] };

/** One without a protocol is for everything; one with a protocol alone for all of its ports. */
function portSets(ports: readonly NetworkPolicyPort[]): readonly PortSet[] {
  if (ports.length === 0) return [{ ports: [] }];
  return protocols.flatMap((protocol): readonly PortSet[] => {
    const own = ports.filter((each) => (each.protocol ?? "TCP") === protocol);
    if (own.some(({ port }) => port === undefined)) return [{ protocol, ports: [] }];
    return chunks(
      own.flatMap(({ port, endPort }) => (endPort === undefined ? (port ?? []) : `${port}:${endPort}`)),
      mostPorts,
    ).map((each) => ({ protocol, ports: each }));
  });
}
