import type { Simulator } from "../simulator/compile.ts";
import { type DeltaRow, delta } from "../simulator/delta.ts";
import { type PortSet, unitePorts } from "../simulator/ports.ts";
import type { ReachedEnd } from "../simulator/reach.ts";
import { portWords } from "./impact-ports.ts";
import { someOf } from "./impact-words.ts";
import { unseen } from "./unseen.ts";

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

type Pair = { readonly from: string; readonly to: string; readonly ports: PortSet };

function pairsWords(rows: readonly DeltaRow[], portsOf: (row: DeltaRow) => PortSet): readonly string[] {
  const pairs = new Map<string, Pair>();
  for (const row of rows) {
    const ports = portsOf(row);
    if (ports.length === 0) continue;
    for (const from of namesOf(row.from)) {
      for (const to of namesOf(row.to)) {
        const key = `${from}\n${to}`;
        const known = pairs.get(key);
        pairs.set(key, { from, to, ports: known === undefined ? ports : unitePorts(known.ports, ports) });
      }
    }
  }
  return sentences([...pairs.values()]);
}

/** Sources that reach the same on the same ports are told together, and then destinations that the same reach. */
function sentences(pairs: readonly Pair[]): readonly string[] {
  const said = pairs.map(({ from, to, ports }) => ({ from, to, ports: portWords(ports, []).text }));
  const bySources = [...Map.groupBy(said, ({ to, ports }) => `${to}\n${ports}`).values()].map((same) => ({
    to: same[0]?.to ?? "",
    ports: same[0]?.ports ?? "",
    from: someOf(same.map(({ from }) => from).toSorted(), mostNamed, "sources"),
  }));
  return [...Map.groupBy(bySources, ({ from, ports }) => `${from}\n${ports}`).values()]
    .map((same) => {
      const to = someOf(same.map((one) => one.to).toSorted(), mostNamed, "destinations");
      return `${same[0]?.from ?? ""} → ${to} ${same[0]?.ports ?? ""}`;
    })
    .toSorted();
}

const mostNamed = 5;

function namesOf(end: ReachedEnd): readonly string[] {
  if (end.kind === "range") return [shortRange(end.range)];
  const workloads = Map.groupBy(end.pods, ({ workload: { namespace, name, kind } }) =>
    namespace === unseen.namespace
      ? "pods of other namespaces (no right to see which)"
      : `${namespace}/${name} (${kind})`,
  );
  return [...workloads.keys()];
}

function shortRange(range: string): string {
  const [first = "", last] = range.split("-");
  return first === last ? first : range;
}
