import ipaddr from "ipaddr.js";
import type { Place } from "./place.ts";

/** A name of DNS or Kubernetes has at most 253 characters; whatever is longer is cut, and counts as one with the same beginning. */
const longestName = 253;

export function boundedName(text: string): string {
  return text.length <= longestName ? text : `${text.slice(0, longestName - 1)}…`;
}

/** The address with its neighbours: 256 of IPv4, a subnet (/64) of IPv6; undefined where it is none. */
export function rangeOf(address: string): Place | undefined {
  const dot = address.lastIndexOf(".");
  if (dot > 0 && !address.includes(":"))
    return ipaddr.IPv4.isValidFourPartDecimal(address)
      ? { kind: "range", cidr: `${address.slice(0, dot)}.0/24` }
      : undefined;
  if (!ipaddr.IPv6.isValid(address)) return undefined;
  const bytes = ipaddr.IPv6.parse(address).toByteArray().fill(0, 8);
  return { kind: "range", cidr: `${ipaddr.fromByteArray(bytes).toString()}/64` };
}

/** Multicast, broadcast and link-local; and nobody's address, which is a host that has none yet (DHCP, neighbour discovery). */
export function isLocalNoise(address: string): boolean {
  if (!maybeNoise.test(address) || isService(address) || !ipaddr.isValid(address)) return false;
  return noise.has(ipaddr.parse(address).range());
}

/** Nothing else can be one, and most are something else: to read each address would cost more than all the rest. */
const maybeNoise = /^(?:2[2-5]|169\.254\.|0\.|f[ef]|::)/;
const noise: ReadonlySet<string> = new Set(["multicast", "broadcast", "linkLocal", "unspecified"]);

/**
 * What is asked for by link-local addresses on purpose: metadata of clouds (169.254.169.254 and 253), credentials of pods on
 * EKS (169.254.170.23) and ECS (.2), and NodeLocal DNSCache (169.254.20.10, or .25.10).
 */
function isService(address: string): boolean {
  return /^169\.254\.(?:169|170|20|25)\./.test(address);
}
