import {
  type AddressSet,
  allAddresses,
  families,
  formatAddress,
  hasAddress,
  noAddresses,
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
