import type { Simulator } from "../simulator/compile.ts";
import { type DeltaRow, delta } from "../simulator/delta.ts";
import type { PortSet } from "../simulator/ports.ts";
import { type EndName, pairsOf, tell } from "./delta-words.ts";

/** What opens, a sentence for each pair of workloads: `payments/checkout (Deployment) → db/postgres (StatefulSet) on TCP 5432`. */
export function openedWords(before: Simulator, after: Simulator): readonly string[] {
  return pairsWords(delta(before, after, new Map()), ({ opened }) => opened);
}

/**
 * What is closed, or not certain to be open any more, in the same form: an allowance may do neither. What was allowed and is
 * undecided now is what the way back would open.
 */
export function closedWords(before: Simulator, after: Simulator): readonly string[] {
  const back = pairsWords(delta(after, before, new Map()), ({ opened }) => opened);
  const closed = pairsWords(delta(before, after, new Map()), (row) => row.closed);
  return [...new Set([...closed, ...back])];
}

function pairsWords(rows: readonly DeltaRow[], portsOf: (row: DeltaRow) => PortSet): readonly string[] {
  const pairs = pairsOf(rows, portsOf).map((pair) => ({ ...pair, from: short(pair.from), to: short(pair.to) }));
  return tell(pairs).map(({ text }) => text);
}

function short({ name, outside }: EndName): EndName {
  const [first, last] = outside ? name.split("-") : [];
  return { name: first !== undefined && first === last ? first : name, outside };
}
