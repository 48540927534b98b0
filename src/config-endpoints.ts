import type { ConfigFile } from "./config-schema.ts";
import type { Endpoint } from "./policy/endpoint.ts";

/** The endpoints of the configuration, each direction one, with what they are for. */
export function endpointsOf({ forensics, monitoring }: ConfigFile["endpoints"]): readonly Endpoint[] {
  return [
    ...forensics.flatMap((endpoint) => endpointOf(endpoint, "forensics")),
    ...monitoring.flatMap((endpoint) => endpointOf(endpoint, "monitoring")),
  ];
}

type EndpointFile = ConfigFile["endpoints"]["forensics"][number];

function endpointOf(given: EndpointFile, purpose: Endpoint["purpose"]): readonly Endpoint[] {
  const { name, direction, ports, ...peer } = withoutUndefined(given);
  const directions = direction === "both" ? (["ingress", "egress"] as const) : [direction];
  return directions.map((one) => ({ name, purpose, direction: one, peer, ports }) as Endpoint);
}

/** The parser may leave members that are undefined; on the wire they must not be there. */
function withoutUndefined<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
