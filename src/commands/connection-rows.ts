import type { Simulator } from "../simulator/compile.ts";
import { type Connection, connections, type Party } from "../simulator/connections.ts";
import { type PortSet, portsByProtocol } from "../simulator/ports.ts";
import type { WorkloadName } from "../simulator/snapshot.ts";

/** One pair, its ends as they are shown. */
export type ConnectionRow = {
  readonly from: string;
  readonly to: string;
  readonly connection: Connection;
};

/** All connections of a cluster, in any order. */
export function connectionRows(simulator: Simulator): readonly ConnectionRow[] {
  return Array.from(connections(simulator), (connection) => ({
    from: partyName(connection.from),
    to: partyName(connection.to),
    connection,
  }));
}

/** By source, then by destination, as they are shown. */
export function compareRows(a: Ends, b: Ends): number {
  return compare(a.from, b.from) || compare(a.to, b.to);
}

type Ends = { readonly from: string; readonly to: string };

/** `payments/checkout[Deployment]` or `10.0.0.0-10.255.255.255`. */
function partyName(party: Party): string {
  return party.kind === "range" ? party.range : workloadName(party.workload);
}

/** `payments/checkout[Deployment]`. */
export function workloadName({ namespace, name, kind }: WorkloadName): string {
  return `${namespace}/${name}[${kind}]`;
}

/** `TCP 80, 8000-8999; UDP all ports`; `all ports` is all of TCP, UDP and SCTP. */
export function portWords(set: PortSet): string {
  const ranges = Object.entries(portsByProtocol(set));
  const words = ranges.map(([protocol, of]) => [protocol, of.map(rangeWord).join(", ")] as const);
  if (words.length === 3 && words.every(([, each]) => each === "all ports")) return "all ports";
  return words.map(([protocol, each]) => `${protocol} ${each}`).join("; ");
}

function rangeWord([first, last]: readonly [number, number]): string {
  if (first === 1 && last === 65_535) return "all ports";
  return first === last ? `${first}` : `${first}-${last}`;
}

/** A title over indented lines, after an empty one; nothing where there are no lines. */
export function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

/** By code units, so that the order is the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
