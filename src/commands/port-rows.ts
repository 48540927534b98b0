import { formatRange, parseAddress } from "../simulator/addresses.ts";
import type { Party } from "../simulator/connections.ts";
import { type PortSet, samePorts } from "../simulator/ports.ts";
import { type ConnectionRow, compareRows, workloadName } from "./connection-rows.ts";

/** One pair and the ports of one sort. */
export type PortRow = ConnectionRow & { readonly ports: PortSet };

/** A range of IPv4 addresses; both ends belong to it. */
export type Range = { readonly first: bigint; readonly last: bigint };

/**
 * The rows that have ports of one sort, in the fewest ranges: neighbours that differ in the other sort only are one here.
 * Sorted by source and destination.
 */
export function portRows(rows: readonly ConnectionRow[], sort: "allow" | "undecided"): readonly PortRow[] {
  const having = rows.filter(({ connection }) => connection[sort].length > 0);
  const all = having.map((row) => ({ ...row, ports: row.connection[sort] }));
  const [outside, inside] = [all.filter(isOutside), all.filter((row) => !isOutside(row))];
  return [...inside, ...[...Map.groupBy(outside, pairOf).values()].flatMap(merged)].sort(compareRows);
}

function isOutside({ connection: { from, to } }: ConnectionRow): boolean {
  return from.kind === "range" || to.kind === "range";
}

/** The pair of a row, where all ranges are the same one. */
export function pairOf({ connection: { from, to } }: ConnectionRow): string {
  const name = (party: Party): string => (party.kind === "range" ? "*" : workloadName(party.workload));
  return `${name(from)} ${name(to)}`;
}

/** The addresses of the row's end outside; undefined between workloads. */
export function rangeOf({ connection: { from, to } }: ConnectionRow): Range | undefined {
  const text = from.kind === "range" ? from.range : to.kind === "range" ? to.range : undefined;
  const [first, last] = (text?.split("-") ?? []).map((address) => parseAddress(address)?.value);
  return first === undefined || last === undefined ? undefined : { first, last };
}

/** The row with another range at its end outside. */
export function withRange(row: ConnectionRow, range: Range): Pick<ConnectionRow, "from" | "to"> {
  const name = formatRange("ipv4", range);
  const { from, to } = row.connection;
  return { from: from.kind === "range" ? name : row.from, to: to.kind === "range" ? name : row.to };
}

/** Rows of one pair, one of which is a range. */
function merged(rows: readonly PortRow[]): readonly PortRow[] {
  const ranged = rows.flatMap((row) => {
    const range = rangeOf(row);
    return range === undefined ? [] : [{ row, range }];
  });
  const result: { row: PortRow; range: Range }[] = [];
  for (const next of ranged.toSorted((a, b) => (a.range.first < b.range.first ? -1 : 1))) {
    const last = result.at(-1);
    const isJoined = last && last.range.last + 1n === next.range.first && samePorts(last.row.ports, next.row.ports);
    if (isJoined) last.range = { first: last.range.first, last: next.range.last };
    else result.push({ ...next });
  }
  return result.map(({ row, range }) => ({ ...row, ...withRange(row, range) }));
}
