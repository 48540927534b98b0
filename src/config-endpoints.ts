import type { ConfigFile } from "./config-schema.ts";
import type { Endpoint } from "./policy/endpoint.ts";

/** The endpoints of the configuration, each direction one, with what they are for; and a lockdown's DNS where it names any. */
export function endpointsOf({
  endpoints: { forensics, monitoring },
  lockdown,
}: Pick<ConfigFile, "endpoints" | "lockdown">): {
  readonly endpoints: readonly Endpoint[];
  readonly dns?: readonly Endpoint[];
} {
  const { dns } = lockdown;
  const endpoints = [
    ...forensics.flatMap((endpoint) => endpointOf(endpoint, "forensics")),
    ...monitoring.flatMap((endpoint) => endpointOf(endpoint, "monitoring")),
  ];
  return dns === undefined ? { endpoints } : { endpoints, dns: dns.flatMap((endpoint) => endpointOf(endpoint, "dns")) };
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
