import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

/** An IP address in its canonical form (RFC 5952, without a zone, IPv4 within IPv6 as IPv4); undefined where it is none. */
export function addressIn(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > longest) return undefined;
  if (isIPv4(value)) return value;
  return isIP(value) === 0 ? undefined : withoutZone(value);
}

/** Of IPv6 with IPv4 in its end, and a zone as long as an interface's name may be. */
const longest = 64;

function withoutZone(text: string): string | undefined {
  const [bare = ""] = text.split("%");
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined;
}
