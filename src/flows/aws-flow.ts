import { addressIn } from "./address.ts";
import { endOf } from "./ends.ts";
import { eventOf } from "./events.ts";
import { type Fields, nameIn, portIn, timeIn } from "./fields.ts";
import { protocolNamed } from "./protocol.ts";
import type { Carried, DenyReason, FlowItem, FlowProtocol, FlowRecord } from "./record.ts";

/** A line of the agent's log, which zap writes as JSON. */
export type AwsLine = Fields<
  "ts" | "msg" | "Src IP" | "Src Port" | "Dest IP" | "Dest Port" | "Proto" | "Verdict" | "Direction" | "Tier"
>;

/**
 * What the AWS network policy agent logs (facts: denied-flows §3), addresses only. v1.0.1 to v1.2.1 have fields, later ones a
 * text, with a direction, and from v1.3.0 the tier. Some of its denials are of traffic that was allowed (its issue 582), which
 * no line shows: what the policies say is the other half of the answer.
 */
export function itemOfAws(line: AwsLine, carried: Carried): FlowItem {
  const atMs = timeIn(line.ts) ?? carried.atMs;
  if (line["Src IP"] !== undefined) return itemOf({ ...fieldsOfLine(line), atMs, node: carried.node });
  const said = typeof line.msg === "string" ? inText.exec(line.msg)?.groups : undefined;
  return said === undefined ? unreadable : itemOf({ ...said, atMs, node: carried.node });
}

/** What it sends to CloudWatch, by its own client (`Node: …;SIP: …`): a line without a time or a direction. */
export function itemOfAwsCloudWatch(line: string, carried: Carried): FlowItem {
  const said = inCloudWatch.exec(line)?.groups;
  if (said === undefined) return unreadable;
  return itemOf({ ...said, atMs: carried.atMs, node: nameIn(said["node"]) ?? carried.node });
}

const unreadable: FlowItem = { kind: "unreadable", why: "A line of the AWS network policy agent that is not whole." };

/** Of IPv6 there are colons behind the last words. */
const inText =
  /Flow Info: {1,2}Src IP: (?<from>\S{2,64}) Src Port: (?<fromPort>\d{1,5}) Dest IP: (?<to>\S{2,64}) Dest Port: (?<toPort>\d{1,5}) Proto:? (?<protocol>ANY PROTOCOL|\w{1,16}) Verdict:? (?<verdict>[\w/]{1,24})(?: Direction:? (?<direction>ingress|egress))?(?:,? Tier:? (?<tier>\w{1,24}))?/;

const inCloudWatch =
  /^Node: (?<node>[^;]{1,253});SIP: (?<from>[^;]{2,64});SPORT: (?<fromPort>\d{1,5});DIP: (?<to>[^;]{2,64});DPORT: (?<toPort>\d{1,5});PROTOCOL: (?<protocol>[^;]{1,16});PolicyVerdict: (?<verdict>[^;]{1,24})(?:;Tier: (?<tier>\w{1,24}))?/;

type Said = Fields<"from" | "fromPort" | "to" | "toPort" | "protocol" | "verdict" | "direction" | "tier">;

function fieldsOfLine(line: AwsLine): Said {
  return {
    from: line["Src IP"],
    fromPort: line["Src Port"],
    to: line["Dest IP"],
    toPort: line["Dest Port"],
    protocol: line.Proto,
    verdict: line.Verdict,
    direction: line.Direction,
    tier: line.Tier,
  };
}

function itemOf(said: Said & Carried): FlowItem {
  const [from, to] = [addressIn(said.from), addressIn(said.to)];
  if (from === undefined || to === undefined) return unreadable;
  const verdict = verdictOf(said);
  if (verdict === undefined) return { kind: "passed" };
  const record = eventOf({
    format: "aws-network-policy-agent",
    verdict,
    from: endOf({ address: from }),
    to: endOf({ address: to }),
    protocol: protocolOf(said.protocol, from),
    fromPort: portIn(said.fromPort),
    toPort: portIn(said.toPort),
    direction: said.direction === "ingress" || said.direction === "egress" ? said.direction : undefined,
    unit: "events",
    atMs: said.atMs,
    node: said.node,
  });
  return { kind: "flow", record };
}

/** EXPIRED/DELETED is of a connection that was let through before. */
function verdictOf({ verdict, tier }: Said): FlowRecord["verdict"] | undefined {
  if (verdict === "ACCEPT") return { kind: "forwarded" };
  if (verdict !== "DENY") return undefined;
  return { kind: "denied", reason: reasons.get(tier) ?? "unsaid" };
}

/** Rules of NetworkPolicies only allow; the tiers around them have rules that deny, and go on to the next where none matches. */
const reasons: ReadonlyMap<unknown, DenyReason> = new Map([
  ["ADMIN", "rule"],
  ["NETWORK_POLICY", "no-rule"],
  ["BASELINE", "rule"],
  ["DEFAULT", "no-rule"],
]);

function protocolOf(name: unknown, address: string): FlowProtocol {
  const protocol = protocolNamed(name);
  return protocol === "ICMP" && address.includes(":") ? "ICMPv6" : protocol;
}
