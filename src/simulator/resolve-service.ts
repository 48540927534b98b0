import type { Endpoint } from "./decide.ts";
import type { NamedPods } from "./names.ts";
import type { Asked, Destination, Unresolved } from "./resolution.ts";
import { podsOfService, portOf, targetOf } from "./services.ts";
import type { ServicePort, SimulatedPod, SimulatedService, Snapshot } from "./snapshot.ts";

/** No policy sees a Service's own address: what is sent there arrives at its pods. */
export function atAddress(
  snapshot: Snapshot,
  service: SimulatedService,
  { text, asked }: { readonly text: string; readonly asked: Asked },
): Destination | Unresolved {
  const port = portOf(service, asked);
  if (port === undefined) return { problem: `${lacks(service, asked)}.`, typed: "", known: [] };
  const found = behind(snapshot, service, port, undefined);
  if ("problem" in found) return found;
  return { ...found, notes: [`${text} is the address of ${serviceName(service)}.`, ...found.notes] };
}

/** A pod that has no port of the target's name gets nothing from the Service. */
export function behind(
  snapshot: Snapshot,
  service: SimulatedService,
  port: ServicePort,
  found: NamedPods | undefined,
): Destination | Unresolved {
  const pods = podsOfService(snapshot, service);
  if (pods.length === 0) return noPods(service);
  const endpoints = pods.flatMap((pod) => {
    const target = targetOf(pod, service, port);
    return target === undefined ? [] : [{ endpoint: endpointOf(pod), port: target }];
  });
  const named = `${port.protocol} port named ${port.targetPort}`;
  if (endpoints.length === 0) {
    return { problem: `${serviceName(service)} leads nowhere: none of its pods has a ${named}.`, typed: "", known: [] };
  }
  const lacking = pods.length - endpoints.length;
  const notes = [
    ...(found === undefined || isSame(found.pods, pods)
      ? []
      : [`Service ${service.namespace}/${service.name} is meant, not ${found.name}.`]),
    ...(lacking === 0
      ? []
      : [`${lacking} of the Service's ${pods.length} pods have no ${named} and get nothing from it.`]),
  ];
  return { name: serviceName(service), endpoints, notes };
}

/** A workload of the Service's name whose pods are the Service's: which of the two is meant makes no difference. */
function isSame(own: readonly SimulatedPod[], pods: readonly SimulatedPod[]): boolean {
  return own.length === pods.length && own.every((pod) => pods.includes(pod));
}

/** A pod as an end of a connection. */
export function endpointOf(pod: SimulatedPod): Endpoint {
  return { kind: "pod", pod };
}

/** `Service db/postgres`. */
export function serviceName({ namespace, name }: SimulatedService): string {
  return `Service ${namespace}/${name}`;
}

/** Which port a Service has not, without a full stop. */
export function lacks(service: SimulatedService, { protocol, port }: Asked): string {
  if (service.externalName !== undefined) return standsForName(service, service.externalName);
  const own = service.ports.map((each) => `${each.protocol} ${each.port}`).join(", ");
  return `${serviceName(service)} has no port ${protocol} ${port} (it has ${own === "" ? "none" : own})`;
}

function standsForName(service: SimulatedService, externalName: string): string {
  return `${serviceName(service)} stands for the DNS name ${externalName} and leads to no pod; name an address instead`;
}

/** Why a Service leads to nobody. */
export function noPods(service: SimulatedService): Unresolved {
  if (service.externalName !== undefined) {
    return { problem: `${standsForName(service, service.externalName)}.`, typed: "", known: [] };
  }
  const why =
    Object.keys(service.selector).length === 0 ? "it has no selector" : "no pod has the labels that it selects";
  return { problem: `${serviceName(service)} has no pods: ${why}.`, typed: "", known: [] };
}
