import type { Simulator } from "../simulator/compile.ts";
import { noPorts, type PortSet, samePorts, subtractPorts, unitePorts } from "../simulator/ports.ts";
import type { Openness } from "../simulator/sides.ts";
import { type ConnectionRow, compare, compareRows, connectionRows, workloadName } from "./connection-rows.ts";
import { pairOf, type Range, rangeOf, withRange } from "./port-rows.ts";

/** What changes for one pair; at least one of the three has ports. */
export type ChangedRow = {
  readonly from: string;
  readonly to: string;
  /** Surely allowed now, and was not. */
  readonly opened: PortSet;
  /** Surely denied now, and was not. */
  readonly closed: PortSet;
  /** Undecided now, and was not. */
  readonly unsure: PortSet;
};

export type Difference = {
  readonly rows: readonly ChangedRow[];
  /** Workloads that are only in one of the two. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
};

/**
 * What a change opens and closes between workloads, and between workloads and external IPv4 ranges, in the fewest ranges.
 * A workload that is new opens what it can reach, one that is gone closes it. Sorted by source and destination.
 */
export function difference(before: Simulator, after: Simulator): Difference {
  const [was, is] = [byPair(connectionRows(before)), byPair(connectionRows(after))];
  const rows = [...new Set([...was.keys(), ...is.keys()])].flatMap((key) =>
    changed(was.get(key) ?? [], is.get(key) ?? []),
  );
  const [old, current] = [workloadsOf(before), workloadsOf(after)];
  return {
    rows: rows.toSorted(compareRows),
    added: [...current].filter((name) => !old.has(name)).toSorted(compare),
    removed: [...old].filter((name) => !current.has(name)).toSorted(compare),
  };
}

/** A piece of the addresses outside, or undefined between workloads. */
type Piece = { readonly row: ConnectionRow; readonly range: Range | undefined; readonly openness: Openness };

/** By pair. */
function byPair(rows: readonly ConnectionRow[]): ReadonlyMap<string, readonly Piece[]> {
  const pieces = rows.map((row) => ({ row, range: rangeOf(row), openness: row.connection }));
  return Map.groupBy(pieces, ({ row }) => pairOf(row));
}

function changed(was: readonly Piece[], is: readonly Piece[]): readonly ChangedRow[] {
  const [any] = [...was, ...is];
  if (any === undefined) return [];
  if (any.range === undefined) return changedRow(any.row, was[0]?.openness ?? closed, is[0]?.openness ?? closed);
  return refine(was, is).flatMap(({ range, before, after }) => changedRow(withRange(any.row, range), before, after));
}

const closed: Openness = { allow: noPorts, undecided: noPorts };

function changedRow({ from, to }: Pick<ChangedRow, "from" | "to">, was: Openness, is: Openness): readonly ChangedRow[] {
  const changes = changesOf(was, is);
  return isNothing(changes) ? [] : [{ from, to, ...changes }];
}

type Changes = Omit<ChangedRow, "from" | "to">;

function changesOf(was: Openness, is: Openness): Changes {
  const may = ({ allow, undecided }: Openness) => unitePorts(allow, undecided);
  return {
    opened: subtractPorts(is.allow, was.allow),
    closed: subtractPorts(may(was), may(is)),
    unsure: subtractPorts(is.undecided, was.undecided),
  };
}

function isNothing({ opened, closed: shut, unsure }: Changes): boolean {
  return opened.length + shut.length + unsure.length === 0;
}

type Refined = { readonly range: Range; readonly before: Openness; readonly after: Openness };

/** The pieces in which neither side changes, joined again where the same changes; what is in no piece is closed. */
function refine(was: readonly Piece[], is: readonly Piece[]): readonly Refined[] {
  const ranges = [...was, ...is].flatMap(({ range }) => range ?? []);
  const cuts = [...new Set(ranges.flatMap(({ first, last }) => [first, last + 1n]))].toSorted((a, b) =>
    a < b ? -1 : 1,
  );
  const at = (pieces: readonly Piece[], address: bigint): Openness =>
    pieces.find(({ range }) => range && range.first <= address && address <= range.last)?.openness ?? closed;
  const refined: Refined[] = [];
  for (const [i, first] of cuts.slice(0, -1).entries()) {
    const piece = { range: { first, last: (cuts[i + 1] ?? first) - 1n }, before: at(was, first), after: at(is, first) };
    const last = refined.at(-1);
    if (last !== undefined && isSameChange(last, piece))
      refined[refined.length - 1] = { ...last, range: { ...last.range, last: piece.range.last } };
    else refined.push(piece);
  }
  return refined;
}

function isSameChange(a: Refined, b: Refined): boolean {
  const [one, other] = [changesOf(a.before, a.after), changesOf(b.before, b.after)];
  return (
    samePorts(one.opened, other.opened) && samePorts(one.closed, other.closed) && samePorts(one.unsure, other.unsure)
  );
}

function workloadsOf({ snapshot }: Simulator): ReadonlySet<string> {
  return new Set(snapshot.pods.map(({ workload }) => workloadName(workload)));
}
