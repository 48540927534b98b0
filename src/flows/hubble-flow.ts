import { addressIn } from "./address.ts";
import { countIn, type Fields, fieldsOf, momentOf, nameIn, portIn, timeIn, wholeIn } from "./fields.ts";
import { hubbleEnd } from "./hubble-end.ts";
import { type HubbleFlow, hubblePolicies, hubbleVerdict, opensConnection } from "./hubble-verdict.ts";
import type { Carried, FlowItem, FlowProtocol, FlowRecord } from "./record.ts";

/**
 * What Cilium's Hubble tells in one GetFlowsResponse (facts: denied-flows §1): as a line of its export, and as proto-loader
 * decodes it (keepCase; longs as strings; enums as names, or as numbers where the name is not known). It is read by itself:
 * of one dropped packet there are two flows, and `createHubbleReader` counts one of them.
 */
export function itemOfHubble(response: unknown, carried: Carried): FlowItem {
  const { flow, lost_events: lost, node_name: name, time } = fieldsOf<keyof Response>(response);
  const node = nodeIn(name) ?? carried.node;
  if (isThere(flow)) return itemOfFlow(fieldsOf(flow), { time, atMs: carried.atMs, node });
  if (!isThere(lost)) return passed;
  const { num_events_lost: count } = fieldsOf<"num_events_lost">(lost);
  return { kind: "lost", count: countIn(count) ?? 1, atMs: timeOf(time) ?? carried.atMs, node };
}

type Response = Fields<"flow" | "lost_events" | "node_name" | "time">;

const passed: FlowItem = { kind: "passed" };

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function itemOfFlow(flow: HubbleFlow, { time, atMs, node }: Carried & { time: unknown }): FlowItem {
  const verdict = hubbleVerdict(flow);
  if (verdict === "passed") return passed;
  if (verdict === "unsaid")
    return { kind: "unreadable", why: "A Hubble flow without a verdict: put it into the field mask." };
  const seenMs = timeOf(flow.time) ?? timeOf(time) ?? atMs;
  const policies = hubblePolicies(flow, verdict);
  const seen = { fromMs: seenMs, toMs: seenMs, node: nodeIn(flow.node_name) ?? node };
  return { kind: "flow", record: { ...trafficOf(flow), ...seen, verdict, policies } };
}

/** Some exporters and relays put `cluster/` before it. */
function nodeIn(name: unknown): string | undefined {
  return nameIn(nameIn(name)?.split("/").at(-1));
}

/** RFC 3339, or protobuf's Timestamp. */
function timeOf(time: unknown): number | undefined {
  if (typeof time === "string") return timeIn(time);
  const { seconds, nanos } = fieldsOf<"seconds" | "nanos">(time);
  const whole = wholeIn(seconds);
  return whole === undefined ? undefined : momentOf(whole * 1000 + (wholeIn(nanos) ?? 0) / 1_000_000);
}

function trafficOf(flow: HubbleFlow): Omit<FlowRecord, "verdict" | "policies" | "fromMs" | "toMs" | "node"> {
  const ip = fieldsOf<"source" | "destination">(flow.IP);
  const { protocol, ...layer } = layerOf(flow.l4);
  return {
    format: "hubble",
    id: nameIn(flow.uuid),
    from: hubbleEnd(flow.source, addressIn(ip.source), flow.source_names),
    to: hubbleEnd(flow.destination, addressIn(ip.destination), flow.destination_names),
    protocol,
    fromPort: portIn(layer.source_port),
    toPort: portIn(layer.destination_port),
    direction: directionOf(flow.traffic_direction),
    isReply: isReplyOf(flow.is_reply),
    isNew: opensConnection(flow, layer.flags),
    count: 1,
    unit: "events",
    atLeast: false,
    dnsQuery: dnsQueryOf(flow.l7),
  };
}

type Layer = Fields<"source_port" | "destination_port" | "flags"> & { readonly protocol: FlowProtocol };

/** Of protobuf's oneof one field is there. */
function layerOf(l4: unknown): Layer {
  const all = fieldsOf<"TCP" | "UDP" | "SCTP" | "ICMPv4" | "ICMPv6">(l4);
  if (all.TCP) return { ...portsOf(all.TCP), protocol: "TCP" };
  if (all.UDP) return { ...portsOf(all.UDP), protocol: "UDP" };
  if (all.SCTP) return { ...portsOf(all.SCTP), protocol: "SCTP" };
  if (all.ICMPv4) return { protocol: "ICMP" };
  return { protocol: all.ICMPv6 ? "ICMPv6" : "unknown" };
}

function portsOf(layer: unknown): Omit<Layer, "protocol"> {
  const { source_port, destination_port, flags } = fieldsOf<"source_port" | "destination_port" | "flags">(layer);
  return { source_port, destination_port, flags };
}

/** Numbers are the enum's own. */
function directionOf(direction: unknown): FlowRecord["direction"] {
  if (direction === "INGRESS" || direction === 1) return "ingress";
  return direction === "EGRESS" || direction === 2 ? "egress" : undefined;
}

/** JSON has protobuf's BoolValue bare, proto-loader as an object. */
function isReplyOf(reply: unknown): boolean | undefined {
  if (typeof reply === "boolean") return reply;
  const { value } = fieldsOf<"value">(reply);
  return typeof value === "boolean" ? value : undefined;
}

function dnsQueryOf(l7: unknown): string | undefined {
  const { query } = fieldsOf<"query">(fieldsOf<"dns">(l7).dns);
  return nameIn(query);
}
