import type { FlowProtocol } from "./record.ts";

/** A protocol as any tool writes it, by name or by IANA's number; `unknown` for any other. */
export function protocolNamed(value: unknown): FlowProtocol {
  if (typeof value === "number") return protocols.get(`${value}`) ?? "unknown";
  return typeof value === "string" && value.length <= longest
    ? (protocols.get(value.toLowerCase()) ?? "unknown")
    : "unknown";
}

const longest = 10;

const protocols: ReadonlyMap<string, FlowProtocol> = new Map([
  ["tcp", "TCP"],
  ["tcp6", "TCP"],
  ["6", "TCP"],
  ["udp", "UDP"],
  ["udp6", "UDP"],
  ["17", "UDP"],
  ["sctp", "SCTP"],
  ["sctp6", "SCTP"],
  ["132", "SCTP"],
  ["icmp", "ICMP"],
  ["icmp4", "ICMP"],
  ["1", "ICMP"],
  ["icmp6", "ICMPv6"],
  ["icmpv6", "ICMPv6"],
  ["58", "ICMPv6"],
]);
