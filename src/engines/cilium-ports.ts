import { chunks, isWhole, type PortRange } from "./port-ranges.ts";

/** As many ports as one entry of toPorts may have (cilium: pkg/policy/api, rule_validation.go). */
const mostPorts = 40;

/** toPorts with these ports. Port 0 is every port of the protocol. */
export function toPorts(ports: readonly PortRange[]): readonly object[] {
  return chunks(ports.map(portOf), mostPorts).map((each) => ({ ports: each }));
}

function portOf(range: PortRange): object {
  const { protocol, from, to } = range;
  if (isWhole(range)) return { port: "0", protocol };
  return { port: String(from), ...(to === from ? {} : { endPort: to }), protocol };
}
