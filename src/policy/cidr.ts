import ipaddr from "ipaddr.js";

/** A block of addresses without host bits; `address` is its first. */
export type Cidr = { readonly family: Family; readonly address: bigint; readonly length: number };

export type Family = "ipv4" | "ipv6";

const bits = { ipv4: 32, ipv6: 128 } as const;

/**
 * `10.1.0.0/16` or `2001:db8::/32`; or what is wrong with it, as a clause that goes on after the text. Stricter than
 * engines, which ignore host bits: whoever typed them meant another block. IPv4 has four decimal parts, since a leading
 * zero is octal to some; IPv4 within IPv6 and zones are not taken.
 */
export function parseExactCidr(text: string): Cidr | { readonly problem: string } {
  const [address = "", prefix, ...more] = text.split("/");
  const family = familyOf(address);
  if (family === undefined || more.length > 0) return { problem: "is no CIDR such as 10.1.2.0/24 or 2001:db8:1::/64" };
  if (prefix === undefined) return { problem: `is one address: write ${address}/${bits[family]}` };
  const length = /^(0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(length <= bits[family])) return { problem: `has no prefix length from 0 to ${bits[family]} after its slash` };
  const value = valueOf(address);
  const block = { family, address: firstOf(family, value, length), length };
  if (block.address === value) return block;
  const alone = `${address}/${bits[family]}`;
  return { problem: `has host bits set: the block is ${formatCidr(block)}, the address alone ${alone}` };
}

/** The one way in which the block is written: RFC 5952 for IPv6. */
export function formatCidr({ family, address, length }: Cidr): string {
  const bytes = Array.from({ length: bits[family] / 8 }, (_, index) =>
    Number((address >> BigInt(bits[family] - 8 - 8 * index)) & 0xffn),
  );
  return `${ipaddr.fromByteArray(bytes).toString()}/${length}`;
}

/** Whether every address of `inner` is in `outer`. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  return firstOf(inner.family, inner.address, outer.length) === outer.address;
}

/** Whether some address is in both: of two blocks one is then within the other. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return containsCidr(a, b) || containsCidr(b, a);
}

function familyOf(address: string): Family | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    const isPlain = address.split(".").every((part) => /^(0|[1-9]\d*)$/.test(part) && Number(part) <= 255);
    return isPlain ? "ipv4" : undefined;
  }
  if (!/^[0-9a-f:]+$/i.test(address) || !ipaddr.IPv6.isValid(address)) return undefined;
  return ipaddr.IPv6.parse(address).isIPv4MappedAddress() ? undefined : "ipv6";
}

function valueOf(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function firstOf(family: Family, value: bigint, length: number): bigint {
  const rest = BigInt(bits[family] - length);
  return (value >> rest) << rest;
}
