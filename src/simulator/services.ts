import { isKind } from "../policy/kind.ts";
import type { Labels } from "../policy/objects.ts";
import { isSameAddress, parseAddress } from "./addresses.ts";
import type { Name } from "./names.ts";
import type { ServicePort, SimulatedPod, SimulatedService, Snapshot } from "./snapshot.ts";

/** The Service of that name, where the name may be one. */
export function serviceNamed({ services }: Snapshot, { namespace, kind, name }: Name): SimulatedService | undefined {
  if (kind !== undefined && !isKind(kind, "Service")) return undefined;
  return services.find((service) => service.namespace === namespace && service.name === name);
}

/** The Service that has this address for its own. */
export function serviceAt({ services }: Snapshot, address: string): SimulatedService | undefined {
  if (parseAddress(address) === undefined) return undefined;
  return services.find(({ clusterIPs = [] }) => clusterIPs.some((own) => isSameAddress(own, address)));
}

/** The pods behind a Service. Without a selector it has none that are known. */
export function podsOfService({ pods }: Snapshot, { namespace, selector }: SimulatedService): readonly SimulatedPod[] {
  if (Object.keys(selector).length === 0) return [];
  return pods.filter((pod) => pod.namespace === namespace && has(pod.labels, selector));
}

/**
 * A Service's port as it is asked for; undefined where it has none. A headless one has every port: its name stands for its
 * pods' addresses, and its list of ports maps nothing.
 */
export function portOf(
  { headless = false, ports }: SimulatedService,
  { protocol, port }: Pick<ServicePort, "protocol" | "port">,
): ServicePort | undefined {
  if (headless) return { name: undefined, protocol, port, targetPort: port };
  return ports.find((each) => each.port === port && each.protocol === protocol);
}

/**
 * The pod's own port behind a Service's; undefined where the pod has no port of that name and protocol. Of a headless one
 * the same port: who asks for its name gets addresses of pods, and no proxy stands between (Kubernetes' documentation of
 * Service, Headless Services).
 */
export function targetOf(
  pod: SimulatedPod,
  { headless = false }: SimulatedService,
  { port: own, targetPort, protocol }: ServicePort,
): number | undefined {
  if (headless) return own;
  if (typeof targetPort === "number") return targetPort;
  return pod.ports.find((port) => port.name === targetPort && port.protocol === protocol)?.port;
}

function has(labels: Labels, selector: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
