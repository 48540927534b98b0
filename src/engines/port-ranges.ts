import type { NetworkPolicyPort } from "../policy/objects.ts";

const protocols = ["TCP", "UDP", "SCTP"] as const;
const last = 65_535;

/** Both ends are inclusive. */
export type PortRange = { readonly protocol: (typeof protocols)[number]; readonly from: number; readonly to: number };

/** `"all"` is every protocol, those without ports too. */
export type PortNumbers = "all" | readonly PortRange[];

/** The ports that have numbers, and the names of the others: a name says another number on each pod. */
export function numbersOf(ports: readonly NetworkPolicyPort[]): {
  readonly numbers: PortNumbers;
  readonly names: readonly string[];
} {
  const names = ports.flatMap(({ port }) => (typeof port === "string" ? [port] : []));
  return { numbers: ports.length === 0 ? "all" : ports.flatMap(rangesOf), names };
}

function rangesOf({ protocol = "TCP", port, endPort }: NetworkPolicyPort): readonly PortRange[] {
  if (typeof port === "string") return [];
  return [{ protocol, from: port ?? 1, to: endPort ?? port ?? last }];
}

/** Ports on which the same of the openings are open, and all others are not. */
export type PortGroup<T> = { readonly open: readonly T[]; readonly ports: readonly PortRange[] };

/** All ports of TCP, UDP and SCTP, grouped by which of the openings are open there. */
export function portGroups<T extends { readonly numbers: PortNumbers }>(openings: readonly T[]): PortGroup<T>[] {
  const groups = new Map<string, { open: readonly T[]; ports: PortRange[] }>();
  for (const cell of protocols.flatMap((protocol) => cellsOf(protocol, openings))) {
    const open = openings.filter(({ numbers }) => isOpen(numbers, cell));
    const key = openings.map((each) => open.includes(each)).join();
    const group = groups.get(key) ?? { open, ports: [] };
    groups.set(key, group);
    const before = group.ports.at(-1);
    if (before?.protocol === cell.protocol && before.to + 1 === cell.from) group.ports.pop();
    group.ports.push(
      before?.to === cell.from - 1 && before.protocol === cell.protocol ? { ...before, to: cell.to } : cell,
    );
  }
  return [...groups.values()];
}

/** Pieces of the protocol's ports in each of which every opening is wholly open or not at all. */
function cellsOf(
  protocol: PortRange["protocol"],
  openings: readonly { readonly numbers: PortNumbers }[],
): readonly PortRange[] {
  const ranges = openings.flatMap(({ numbers }) => (numbers === "all" ? [] : numbers));
  const edges = ranges.filter((range) => range.protocol === protocol).flatMap(({ from, to }) => [from, to + 1]);
  const starts = [...new Set([1, ...edges])].filter((start) => start <= last).toSorted((a, b) => a - b);
  return starts.map((from, index) => ({ protocol, from, to: (starts[index + 1] ?? last + 1) - 1 }));
}

function isOpen(numbers: PortNumbers, { protocol, from }: PortRange): boolean {
  if (numbers === "all") return true;
  return numbers.some((range) => range.protocol === protocol && range.from <= from && from <= range.to);
}

/** Whether these are all ports of their protocol. */
export function isWhole({ from, to }: PortRange): boolean {
  return from === 1 && to === last;
}

/** In lists of at most so many. */
export function chunks<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  );
}
