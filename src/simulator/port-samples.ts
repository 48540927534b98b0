import type { Simulator } from "./compile.ts";
import type { Protocol } from "./model.ts";

/**
 * Ports that stand for all of a protocol: the first of each piece into which the policies cut it, ascending. A named port
 * counts at every number that some pod gives it.
 */
export function portSamples({ policies, snapshot }: Simulator, protocol: Protocol): readonly number[] {
  const rules = policies.flatMap(({ ingress, egress }) => [...ingress, ...egress]);
  const terms = rules
    .flatMap(({ ports }) => (ports === "all" ? [] : ports))
    .filter((term) => term.protocol === protocol);
  const names = new Set(terms.flatMap((term) => ("name" in term ? [term.name] : [])));
  const declared = snapshot.pods.flatMap(({ ports }) => ports).filter((port) => port.protocol === protocol);
  const starts = [
    1,
    ...terms.flatMap((term) => ("name" in term ? [] : [term.from, term.to + 1])),
    ...declared.filter(({ name }) => names.has(name)).flatMap(({ port }) => [port, port + 1]),
  ];
  return [...new Set(starts)].filter((port) => port >= 1 && port <= 65_535).toSorted((a, b) => a - b);
}
