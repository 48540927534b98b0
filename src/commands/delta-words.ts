import type { DeltaRow } from "../simulator/delta.ts";
import { type PortSet, unitePorts } from "../simulator/ports.ts";
import type { ReachedEnd } from "../simulator/reach.ts";
import { portWords } from "./impact-ports.ts";
import { someOf } from "./impact-words.ts";
import { unseen } from "./unseen.ts";

/** One workload, or a range of addresses, to another. */
export type Pair = { readonly from: EndName; readonly to: EndName; readonly ports: PortSet };

/** `payments/checkout (Deployment)`, or the addresses as the delta has them: `10.0.0.0-10.255.255.255`. */
export type EndName = { readonly name: string; readonly outside: boolean };

/** The pairs of which a row has ports of that sort, each once. */
export function pairsOf(rows: readonly DeltaRow[], portsOf: (row: DeltaRow) => PortSet): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  for (const row of rows) {
    const ports = portsOf(row);
    if (ports.length === 0) continue;
    for (const from of namesOf(row.from)) {
      for (const to of namesOf(row.to)) {
        const key = `${from.name}\n${to.name}`;
        const known = pairs.get(key);
        pairs.set(key, { from, to, ports: known === undefined ? ports : unitePorts(known.ports, ports) });
      }
    }
  }
  return [...pairs.values()];
}

function namesOf(end: ReachedEnd): readonly EndName[] {
  if (end.kind === "range") return [{ name: end.range, outside: true }];
  const workloads = Map.groupBy(end.pods, ({ workload: { namespace, name, kind } }) =>
    namespace === unseen.namespace
      ? "pods of other namespaces (no right to see which)"
      : `${namespace}/${name} (${kind})`,
  );
  return [...workloads.keys()].map((name) => ({ name, outside: false }));
}

/** Pairs that are told in one sentence. */
export type Told = {
  /** `a and b → c on TCP 80`. */
  readonly text: string;
  readonly pairs: number;
};

/** Sources that reach the same on the same ports are told together, and then destinations that the same reach. By text. */
export function tell(pairs: readonly Pair[]): readonly Told[] {
  const said = pairs.map(({ from, to, ports }) => ({ from, to, ports: portWords(ports, []).text }));
  const bySources = [...Map.groupBy(said, ({ to, ports }) => `${to.name}\n${ports}`).values()].map((same) => ({
    to: same[0]?.to.name ?? "",
    ports: same[0]?.ports ?? "",
    from: listed(
      same.map(({ from }) => from.name),
      "sources",
    ),
    pairs: same.length,
  }));
  return [...Map.groupBy(bySources, ({ from, ports }) => `${from}\n${ports}`).values()]
    .map((same) => ({
      text: `${same[0]?.from ?? ""} → ${listed(
        same.map(({ to }) => to),
        "destinations",
      )} ${same[0]?.ports ?? ""}`,
      pairs: same.reduce((sum, one) => sum + one.pairs, 0),
    }))
    .toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

const mostNamed = 5;

function listed(names: readonly string[], things: string): string {
  return someOf(names.toSorted(), mostNamed, things);
}
