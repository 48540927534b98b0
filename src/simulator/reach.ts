import { families, formatRange } from "./addresses.ts";
import type { PodClass } from "./classes.ts";
import type { Simulator } from "./compile.ts";
import type { Direction } from "./model.ts";
import { isOwnNodeTraffic } from "./own-node.ts";
import { allPorts, noPorts } from "./ports.ts";
import { rangesFor } from "./ranges.ts";
import { type End, endOfClass, endOfPod, isOpen, type Openness, viewOf } from "./sides.ts";
import type { SimulatedPod } from "./snapshot.ts";

/** Pods that are all the same to policies, or a range of addresses outside (`10.0.0.0-10.255.255.255`). */
export type ReachedEnd =
  | { readonly kind: "pods"; readonly pods: readonly SimulatedPod[] }
  | { readonly kind: "range"; readonly range: string };

export type Reached = Openness & { readonly end: ReachedEnd };

/** What a pod can open connections to, and what can open connections to it; without the pod itself. */
export type Reach = { readonly to: readonly Reached[]; readonly from: readonly Reached[] };

export function reach(simulator: Simulator, pod: SimulatedPod): Reach {
  const self = endOfPod(simulator, pod);
  const view = viewOf(simulator, self);
  const [to, from]: [Reached[], Reached[]] = [[], []];
  const add = (rows: Reached[], pods: readonly SimulatedPod[], openness: Openness): void => {
    if (pods.length > 0 && isOpen(openness)) rows.push({ end: { kind: "pods", pods }, ...openness });
  };
  for (const { end, pods } of endsOf(simulator)) {
    const others = pods.filter((other) => other !== pod);
    const nearTo = others.filter((other) => isOwnNodeTraffic(simulator.engine, pod, other));
    const nearFrom = others.filter((other) => isOwnNodeTraffic(simulator.engine, other, pod));
    add(to, nearTo, { allow: allPorts, undecided: noPorts });
    add(from, nearFrom, { allow: allPorts, undecided: noPorts });
    if (nearTo.length < others.length) add(to, without(others, nearTo), view.to(end));
    if (nearFrom.length < others.length) add(from, without(others, nearFrom), view.from(end));
  }
  return {
    to: [...to, ...rangesOf(simulator, "egress", self)],
    from: [...from, ...rangesOf(simulator, "ingress", self)],
  };
}

function without(pods: readonly SimulatedPod[], some: readonly SimulatedPod[]): readonly SimulatedPod[] {
  return some.length === 0 ? pods : pods.filter((pod) => !some.includes(pod));
}

/** Everything in the cluster that can be at an end: the pods of each class together, and each pod of the host network. */
export function endsOf(simulator: Simulator): readonly { readonly end: End; readonly pods: readonly SimulatedPod[] }[] {
  const members = new Map<PodClass, SimulatedPod[]>();
  for (const [pod, podClass] of simulator.classOf) {
    const known = members.get(podClass);
    if (known === undefined) members.set(podClass, [pod]);
    else known.push(pod);
  }
  const nodes = simulator.snapshot.pods.filter(({ hostNetwork }) => hostNetwork);
  return [
    ...[...members].map(([podClass, pods]) => ({ end: endOfClass(podClass), pods })),
    ...nodes.map((pod) => ({ end: endOfPod(simulator, pod), pods: [pod] })),
  ];
}

function rangesOf(simulator: Simulator, direction: Direction, self: End): readonly Reached[] {
  return families.flatMap((family) =>
    rangesFor(simulator, direction, self, family).map(({ range, openness }) => ({
      end: { kind: "range" as const, range: formatRange(family, range) },
      ...openness,
    })),
  );
}
