import type { Pod } from "../policy/objects.ts";

/** A connection that somebody tried to open, and who decided over it. */
export type Attempt = {
  readonly from: Pod;
  /** A pod, or an address outside. */
  readonly to: Pod | string;
  readonly protocol: "TCP" | "UDP";
  readonly fromPort: number;
  readonly port: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/**
 * What Cilium's agents on the nodes of both ends export of it, line by line: of a denied one a policy's verdict and a drop, of one
 * that is let through a verdict on each side and the reply. `id` makes a new uuid.
 */
export function linesOf(
  attempt: Attempt,
  { egress, ingress }: { readonly egress: boolean; readonly ingress: boolean },
  id: () => string,
): readonly string[] {
  const { from, to } = attempt;
  const line = (changes: object, node: string | undefined): string => {
    const flow = { ...flowOf(attempt), uuid: id(), node_name: node, ...changes };
    return JSON.stringify({ flow, node_name: node, time: flow.time });
  };
  const side = (direction: "EGRESS" | "INGRESS", isAllowed: boolean, node: string | undefined): readonly string[] => {
    const seen = { traffic_direction: direction, is_reply: false, event_type: { type: 5 } };
    if (isAllowed) return [line({ ...seen, verdict: "FORWARDED" }, node)];
    const dropped = { ...seen, verdict: "DROPPED", drop_reason: 133, drop_reason_desc: "POLICY_DENIED" };
    return [line(dropped, node), line({ ...dropped, event_type: { type: 1, sub_type: 133 } }, node)];
  };
  const out = side("EGRESS", egress, from.nodeName);
  if (!egress || typeof to === "string") return out;
  const inward = side("INGRESS", ingress, to.nodeName);
  return ingress ? [...out, ...inward, line(replyOf(attempt), from.nodeName)] : [...out, ...inward];
}

function flowOf({ from, to, protocol, fromPort, port, at }: Attempt) {
  const layer = { source_port: fromPort, destination_port: port };
  return {
    time: new Date(at).toISOString(),
    IP: { source: from.podIP, destination: addressOf(to), ipVersion: "IPv4" },
    l4: protocol === "TCP" ? { TCP: { ...layer, flags: { SYN: true } } } : { UDP: layer },
    source: endpointOf(from),
    destination: endpointOf(to),
    Type: "L3_L4",
  };
}

/** As it comes back to the endpoint that asked. */
function replyOf({ from, to, protocol, fromPort, port }: Attempt): object {
  const layer = { source_port: port, destination_port: fromPort };
  return {
    IP: { source: addressOf(to), destination: from.podIP, ipVersion: "IPv4" },
    l4: protocol === "TCP" ? { TCP: { ...layer, flags: { SYN: true, ACK: true } } } : { UDP: layer },
    source: endpointOf(to),
    destination: endpointOf(from),
    verdict: "FORWARDED",
    traffic_direction: "INGRESS",
    is_reply: true,
    event_type: { type: 4, sub_type: 0 },
  };
}

function addressOf(end: Pod | string): string | undefined {
  return typeof end === "string" ? end : end.podIP;
}

function endpointOf(end: Pod | string): object {
  if (typeof end === "string") return { identity: 2, labels: ["reserved:world"] };
  const labels = Object.entries(end.labels).map(([key, value]) => `k8s:${key}=${value}`);
  return { namespace: end.namespace, pod_name: end.name, labels };
}
