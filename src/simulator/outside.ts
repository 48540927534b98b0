import {
  type AddressSet,
  allAddresses,
  families,
  formatAddress,
  hasAddress,
  noAddresses,
  parseAddress,
  parseCidr,
  subtractAddresses,
  uniteAddresses,
} from "./addresses.ts";
import type { Simulator } from "./compile.ts";

/** IPv4 addresses that are nobody's on the internet (RFC 6890), without those for documentation: examples use them. */
const special = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "224.0.0.0/3",
].map((text) => parseCidr(text) ?? noAddresses);

/** Addresses at which nobody else is, by what they are (RFC 6890, RFC 4291): no policy ever sees them between two pods. */
const nobodys: readonly (readonly [string, string])[] = [
  ["127.0.0.0/8", "a loopback address: a pod always reaches itself by it, and nobody else"],
  ["::1/128", "a loopback address: a pod always reaches itself by it, and nobody else"],
  ["0.0.0.0/8", "no address of anybody"],
  ["::/128", "no address of anybody"],
  ["224.0.0.0/4", "a multicast address: policies do not speak of those"],
  ["ff00::/8", "a multicast address: policies do not speak of those"],
  ["255.255.255.255/32", "the broadcast address: policies do not speak of it"],
];

/** Why an address can be no end of a connection that policies decide, as `127.0.0.1 is …`; undefined where it can. */
export function whyNobodys(text: string): string | undefined {
  const address = parseAddress(text);
  const is = nobodys.find(([cidr]) => {
    const set = parseCidr(cidr);
    return address !== undefined && set !== undefined && hasAddress(set, address.family, address.value);
  });
  return is === undefined ? undefined : `${text} is ${is[1]}`;
}

/** All public IPv4 addresses. */
export const internet: AddressSet = {
  ...subtractAddresses(allAddresses, uniteAddresses(special)),
  ipv6: [],
};

/**
 * Addresses that stand for all of the set: of each piece into which the policies cut it, the first. No policy can tell
 * apart those of one piece.
 */
export function samplesOf({ policies }: Simulator, set: AddressSet): readonly string[] {
  const rules = policies.flatMap(({ ingress, egress }) => [...ingress, ...egress]);
  const terms = rules.flatMap(({ peers }) => (peers === "all" ? [] : peers));
  const cuts = terms.flatMap(({ addresses, notAddresses }) => [addresses, notAddresses]);
  return families.flatMap((family) => {
    const edges = cuts.flatMap((each) => (each?.[family] ?? []).flatMap(({ first, last }) => [first, last + 1n]));
    const starts = set[family].map(({ first }) => first);
    const inside = edges.filter((edge) => hasAddress(set, family, edge));
    return [...new Set([...starts, ...inside])]
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map((value) => formatAddress(family, value));
  });
}
