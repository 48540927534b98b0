import ipaddr from "ipaddr.js";

/** All addresses, a CIDR for each family. */
export const wholeFamilies = ["0.0.0.0/0", "::/0"] as const;

/** An address as a number of so many bits, of which the first `length` count. */
type Block = { readonly bits: 32 | 128; readonly address: bigint; readonly length: number };

/**
 * What is left of the CIDRs without the holes, as CIDRs that do not overlap the holes. Ranges are cut in halves until a half is
 * wholly in or wholly out, since not every API knows exceptions. What is no CIDR throws: configuration has checked it.
 */
export function subtractCidrs(cidrs: readonly string[], holes: readonly string[]): readonly string[] {
  const out = holes.map(blockOf);
  return [...new Set(cidrs.flatMap((cidr) => without(blockOf(cidr), out)).map(textOf))];
}

export function isIpv6(cidr: string): boolean {
  return cidr.includes(":");
}

function without(block: Block, holes: readonly Block[]): readonly Block[] {
  if (holes.some((hole) => covers(hole, block))) return [];
  const inside = holes.filter((hole) => covers(block, hole));
  if (inside.length === 0) return [block];
  const length = block.length + 1;
  const half = 1n << BigInt(block.bits - length);
  return [block.address, block.address + half].flatMap((address) => without({ ...block, address, length }, inside));
}

function covers(whole: Block, part: Block): boolean {
  const rest = BigInt(whole.bits - whole.length);
  return whole.bits === part.bits && whole.length <= part.length && whole.address >> rest === part.address >> rest;
}

function blockOf(cidr: string): Block {
  const [parsed, length] = ipaddr.parseCIDR(cidr);
  const bytes = parsed.toByteArray();
  const bits = bytes.length === 4 ? 32 : 128;
  const rest = BigInt(bits - length);
  const address = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { bits, address: (address >> rest) << rest, length };
}

function textOf({ bits, address, length }: Block): string {
  const bytes = Array.from({ length: bits / 8 }, (_, index) =>
    Number((address >> BigInt(bits - 8 - 8 * index)) & 0xffn),
  );
  return `${ipaddr.fromByteArray(bytes).toString()}/${length}`;
}
