import { formatRange } from "./addresses.ts";
import type { Simulator } from "./compile.ts";
import { parseAll } from "./decide.ts";
import type { Direction } from "./model.ts";
import { type End, endOfClass, type Openness, opennessBetween } from "./pairs.ts";
import type { PortSet } from "./ports.ts";
import { rangesFor } from "./ranges.ts";
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
 * without one are absent, and so is a workload to itself. The first pod of a workload stands for it.
 */
export function* connections(simulator: Simulator): Generator<Connection> {
  const representatives = representativesOf(simulator);
  for (const from of representatives) {
    for (const to of representatives) {
      if (from === to) continue;
      const openness = opennessBetween(simulator, from.end, to.end);
      if (isOpen(openness)) yield { from: from.party, to: to.party, ...openness };
    }
    yield* outside(simulator, from);
  }
}

type Representative = { readonly party: Party; readonly end: End };

function representativesOf({ snapshot, classOf }: Simulator): readonly Representative[] {
  const first = new Map<string, SimulatedPod>();
  for (const pod of snapshot.pods) {
    const key = `${pod.workload.namespace}/${pod.workload.name}[${pod.workload.kind}]`;
    if (!first.has(key)) first.set(key, pod);
  }
  return [...first.values()].map((pod) => {
    const podClass = classOf.get(pod);
    const node: End = { peer: { kind: "node", addresses: parseAll(pod.addresses) }, podClass: undefined };
    const end = podClass === undefined ? node : endOfClass(podClass);
    return { party: { kind: "workload", workload: pod.workload }, end };
  });
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

function isOpen({ allow, undecided }: Openness): boolean {
  return allow.length + undecided.length > 0;
}
