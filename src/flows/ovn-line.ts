import { addressIn } from "./address.ts";
import { endOf } from "./ends.ts";
import { eventOf } from "./events.ts";
import { portIn, timeIn } from "./fields.ts";
import { type OvnAcl, ovnAcl } from "./ovn-acl.ts";
import { protocolNamed } from "./protocol.ts";
import type { Carried, FlowItem, FlowRecord } from "./record.ts";

/**
 * A line of ovn-controller's acl_log (facts: denied-flows §4): addresses, and the name of the ACL, which says whose policy it
 * is. There are at most 20 lines a second and node unless it is set otherwise, so what they count is a lower bound.
 */
export function itemOfOvn(line: string, carried: Carried): FlowItem {
  const { time, name, verdict, port, flow } = shape.exec(line)?.groups ?? {};
  const packet = packetOf(flow ?? "");
  if (packet === undefined) return { kind: "unreadable", why: "A line of OVN's acl_log that is not whole." };
  const acl = ovnAcl(name ?? "");
  const decided = decidedOf(verdict, acl);
  if (decided === undefined) return { kind: "passed" };
  const direction = port === undefined ? undefined : port === "to" ? "ingress" : "egress";
  const { from, to, ...traffic } = packet;
  const record = eventOf({
    format: "ovn",
    ...traffic,
    ...decided,
    from: endOf({ address: from, namespace: direction === "egress" ? acl.namespace : undefined }),
    to: endOf({ address: to, namespace: direction === "ingress" ? acl.namespace : undefined }),
    direction,
    unit: "packets",
    atLeast: true,
    atMs: timeIn(time) ?? carried.atMs,
    node: carried.node,
  });
  return { kind: "flow", record };
}

/** Of OKD 4.9 and older there is no direction. */
const shape =
  /(?:(?<time>\d{4}-\d\d-\d\dT[\d:.]{8,20}Z)\|\d{1,10}\|)?acl_log\([^)]{1,40}\)\|\w{1,10}\|name="(?<name>[^"]{0,253})", verdict=(?<verdict>[\w-]{1,24}), severity=\w{1,12}(?:, direction=(?<port>to|from)-lport)?: (?<flow>.*)$/;

/** `allow-related` and `allow-stateless` let it through as well; `pass` leaves it to the next tier. */
function decidedOf(verdict: string | undefined, acl: OvnAcl): Pick<FlowRecord, "verdict" | "policies"> | undefined {
  if (verdict?.startsWith("allow")) return { verdict: { kind: "forwarded" }, policies: [] };
  if (verdict !== "drop" && verdict !== "reject") return undefined;
  return { verdict: { kind: "denied", reason: acl.reason }, policies: acl.policies };
}

type Packet = Pick<FlowRecord, "protocol" | "fromPort" | "toPort" | "isNew"> & {
  readonly from: string;
  readonly to: string;
};

/** `tcp,…,nw_src=…,nw_dst=…,…,tp_src=…,tp_dst=…,tcp_flags=…`: a flow as Open vSwitch prints it. */
function packetOf(flow: string): Packet | undefined {
  const [protocol, ...pairs] = flow.split(",", mostFields);
  const fields = new Map(pairs.map((pair) => pair.trim().split("=", 2) as [string, string]));
  const from = addressIn(fields.get("nw_src") ?? fields.get("ipv6_src"));
  const to = addressIn(fields.get("nw_dst") ?? fields.get("ipv6_dst"));
  if (from === undefined || to === undefined) return undefined;
  const flags = fields.get("tcp_flags");
  return {
    from,
    to,
    protocol: protocolNamed(protocol),
    fromPort: portIn(fields.get("tp_src")),
    toPort: portIn(fields.get("tp_dst")),
    isNew: flags === undefined ? undefined : flags === "syn",
  };
}

const mostFields = 40;
