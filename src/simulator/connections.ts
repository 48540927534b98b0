import { formatRange } from "./addresses.ts";
import type { Simulator } from "./compile.ts";
import type { Direction } from "./model.ts";
import { noPorts, type PortSet } from "./ports.ts";
import { rangesFor } from "./ranges.ts";
import { type End, endOfPod, isOpen, joinSides, type Openness, type Side, sideOf } from "./sides.ts";
import type { SimulatedPod, WorkloadName } from "./snapshot.ts";

/** A workload, or a range of IPv4 addresses outside the cluster (`10.0.0.0`-`10.255.255.255`). */
export type Party =
  | { readonly kind: "workload"; readonly workload: WorkloadName }
  | { readonly kind: "range"; readonly range: string };

/** At least one of the two has a port. */
export type Connection = {
  readonly from: Party;
  readonly to: Party;
  readonly allow: PortSet;
  /** Ports of which it cannot be said: some rule asks what is not evaluated. */
  readonly undecided: PortSet;
};

/**
 * All connections between workloads, and between workloads and external IPv4 ranges, each pair once, unsorted; pairs
 * without one are absent, and so is a workload to itself. The first pod of a workload stands for it, wherever it runs: that a
 * node always reaches its own pods is not counted.
 */
export function* connections(simulator: Simulator): Generator<Connection> {
  const representatives = representativesOf(simulator);
  for (const from of representatives) {
    for (const to of representatives) {
      if (from === to) continue;
      const openness = opennessBetween(from, to);
      if (isOpen(openness)) yield { from: from.party, to: to.party, ...openness };
    }
    yield* outside(simulator, from);
  }
}

type Representative = { readonly party: Party; readonly end: End; readonly egress: Side; readonly ingress: Side };

function representativesOf(simulator: Simulator): readonly Representative[] {
  const first = new Map<string, SimulatedPod>();
  for (const pod of simulator.snapshot.pods) {
    const key = `${pod.workload.namespace}/${pod.workload.name}[${pod.workload.kind}]`;
    if (!first.has(key)) first.set(key, pod);
  }
  return [...first.values()].map((pod) => {
    const end = endOfPod(simulator, pod);
    return {
      party: { kind: "workload", workload: pod.workload },
      end,
      egress: sideOf(simulator, "egress", end),
      ingress: sideOf(simulator, "ingress", end),
    };
  });
}

function opennessBetween(from: Representative, to: Representative): Openness {
  const egress = from.egress(to.end);
  return egress.allow.length === 0 ? closed : joinSides(egress, to.ingress(from.end));
}

function* outside(simulator: Simulator, { party, end }: Representative): Generator<Connection> {
  const directions: readonly Direction[] = ["egress", "ingress"];
  for (const direction of directions) {
    for (const { range, openness } of rangesFor(simulator, direction, end, "ipv4")) {
      const other: Party = { kind: "range", range: formatRange("ipv4", range) };
      const [from, to] = direction === "egress" ? [party, other] : [other, party];
      yield { from, to, ...openness };
    }
  }
}

const closed: Openness = { allow: noPorts, undecided: noPorts };
