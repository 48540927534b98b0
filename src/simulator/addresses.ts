import ipaddr from "ipaddr.js";
import { type Interval, type Intervals, intersect, subtract, unite } from "./intervals.ts";

/** Inclusive, as numbers of 32 or 128 bits. */
export type AddressRange = Interval<bigint>;

/** IPv4 and IPv6 are separate spaces. */
export type AddressSet = { readonly ipv4: Intervals<bigint>; readonly ipv6: Intervals<bigint> };

export type Family = keyof AddressSet;

export const families = ["ipv4", "ipv6"] as const;

const bits = { ipv4: 32n, ipv6: 128n };
const steps = { next: (value: bigint) => value + 1n, previous: (value: bigint) => value - 1n };

export const noAddresses: AddressSet = { ipv4: [], ipv6: [] };

export const allAddresses: AddressSet = { ipv4: [whole("ipv4")], ipv6: [whole("ipv6")] };

/** All addresses of a family. */
export function whole(family: Family): AddressRange {
  return { first: 0n, last: (1n << bits[family]) - 1n };
}

/** `10.0.0.0/8` or `2001:db8::/32`, host bits ignored (as engines do); undefined where the text is no CIDR. */
export function parseCidr(text: string): AddressSet | undefined {
  const [address = "", prefix = "", ...more] = text.split("/");
  const parsed = parseAddress(address);
  if (parsed === undefined || more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  const width = bits[parsed.family];
  const length = BigInt(prefix);
  if (length > width) return undefined;
  const size = 1n << (width - length);
  const first = (parsed.value / size) * size;
  return addressesOf(parsed.family, [{ first, last: first + size - 1n }]);
}

/** One address; undefined where the text is none, or one of the old short or octal forms. */
export function parseAddress(text: string): { readonly family: Family; readonly value: bigint } | undefined {
  const family = familyOf(text);
  if (family === undefined || text.includes("%") || /(^|\.)0\d/.test(text)) return undefined;
  const bytes = ipaddr.parse(text).toByteArray();
  return { family, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

/** However they are written; false where one of them is no address. */
export function isSameAddress(a: string, b: string): boolean {
  const [one, other] = [parseAddress(a), parseAddress(b)];
  return one !== undefined && one.family === other?.family && one.value === other.value;
}

/** Asking ipaddr.js whether an IPv6 address is one of IPv4 costs it an exception, which is slow. */
function familyOf(text: string): Family | undefined {
  if (text.includes(":")) return ipaddr.IPv6.isValid(text) ? "ipv6" : undefined;
  return /^[\d.]+$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text) ? "ipv4" : undefined;
}

/** `10.0.0.1`. */
export function formatAddress(family: Family, value: bigint): string {
  const bytes: number[] = [];
  for (let shift = bits[family] - 8n; shift >= 0n; shift -= 8n) bytes.push(Number((value >> shift) & 0xffn));
  return ipaddr.fromByteArray(bytes).toString();
}

/** `10.0.0.0-10.255.255.255`. */
export function formatRange(family: Family, { first, last }: AddressRange): string {
  return `${formatAddress(family, first)}-${formatAddress(family, last)}`;
}

export function uniteAddresses(sets: readonly AddressSet[]): AddressSet {
  return {
    ipv4: unite(
      sets.flatMap(({ ipv4 }) => ipv4),
      steps,
    ),
    ipv6: unite(
      sets.flatMap(({ ipv6 }) => ipv6),
      steps,
    ),
  };
}

export function intersectAddresses(a: AddressSet, b: AddressSet): AddressSet {
  return { ipv4: intersect(a.ipv4, b.ipv4), ipv6: intersect(a.ipv6, b.ipv6) };
}

/** What is in `set` and not in `without`. */
export function subtractAddresses(set: AddressSet, without: AddressSet): AddressSet {
  return { ipv4: subtract(set.ipv4, without.ipv4, steps), ipv6: subtract(set.ipv6, without.ipv6, steps) };
}

export function hasAddress(set: AddressSet, family: Family, value: bigint): boolean {
  return set[family].some(({ first, last }) => first <= value && value <= last);
}

/** Whether every address of `inner` is in `outer`. */
export function covers(outer: AddressSet, inner: AddressSet): boolean {
  const rest = subtractAddresses(inner, outer);
  return rest.ipv4.length === 0 && rest.ipv6.length === 0;
}

/** The set of one family's ranges, in any order and overlapping as they may. */
export function addressesOf(family: Family, ranges: readonly AddressRange[]): AddressSet {
  return { ...noAddresses, [family]: unite(ranges, steps) };
}
