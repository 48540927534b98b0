import { parseAddress, parseCidr } from "./addresses.ts";
import type { Simulator } from "./compile.ts";
import type { Endpoint } from "./decide.ts";
import type { Protocol } from "./model.ts";
import { type Name, type NamedPods, parseName, podsNamed } from "./names.ts";
import { internet, samplesOf, whyNobodys } from "./outside.ts";
import { podsOfService, portOf, serviceAt, serviceNamed, targetOf } from "./services.ts";
import type { ServicePort, SimulatedPod, SimulatedService, Snapshot } from "./snapshot.ts";

/** What a name stands for as the source of a connection: any of these endpoints. */
export type Source = {
  /** As it was understood: `pod db/postgres-0`, `db/postgres[StatefulSet]`, `pods of Service db/postgres`, `10.0.0.1`. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** What a reader should know of how it was understood. */
  readonly notes: readonly string[];
};

/** Between two ends outside of the cluster no policy decides anything. */
export function areOutside(from: Pick<Source, "endpoints">, to: Pick<Destination, "endpoints">): boolean {
  const ends = [...from.endpoints, ...to.endpoints.map(({ endpoint }) => endpoint)];
  return ends.every(({ kind }) => kind === "external");
}

export const bothOutside =
  "Both ends are outside of the cluster: policies act on pods, so one end has to be a pod, a workload or a Service.";

/** What a name stands for as a destination: any of these endpoints, each at a port of its own. At least one. */
export type Destination = Omit<Source, "endpoints"> & { readonly endpoints: readonly Arrival[] };

export type Arrival = { readonly endpoint: Endpoint; readonly port: number };

/** Why a name stands for nothing: a sentence; `typed` is the part of it that is probably misspelt, among `known`. */
export type Unresolved = { readonly problem: string; readonly typed: string; readonly known: readonly string[] };

/** The port that was asked for: a Service's own where the destination is a Service. */
export type Asked = { readonly protocol: Protocol; readonly port: number };

/**
 * `namespace/name`, `namespace/kind/name`, an IP address, a CIDR or `internet` (all public IPv4 addresses), as the source
 * of a connection. Throws nothing: what is not found is a value.
 */
export function resolveSource(simulator: Simulator, text: string): Source | Unresolved {
  const outside = outsideNamed(simulator, text);
  if (outside !== undefined) return outside;
  const name = parseName(text);
  if (name === undefined) return malformed(text);
  const { snapshot } = simulator;
  const found = podsNamed(snapshot, name);
  if (found !== undefined) return { name: found.name, endpoints: found.pods.map(endpointOf), notes: notesOn(found) };
  const service = serviceNamed(snapshot, name);
  if (service === undefined) return nothing(snapshot, name);
  const endpoints = podsOfService(snapshot, service).map(endpointOf);
  if (endpoints.length === 0) return noPods(service);
  const notes = [`${serviceName(service)} opens no connections itself: its pods are meant.`];
  return { name: `pods of ${serviceName(service)}`, endpoints, notes };
}

/**
 * The same as a destination. A Service is its pods at their target ports, since policies act on pods (facts:
 * network-policy §1, Services). A name without its kind means a pod of that name, else a Service of that name with that
 * port, else a workload.
 */
export function resolveDestination(simulator: Simulator, text: string, asked: Asked): Destination | Unresolved {
  const { snapshot } = simulator;
  const addressed = serviceAt(snapshot, text);
  if (addressed !== undefined) return atAddress(snapshot, addressed, { text, asked });
  const outside = outsideNamed(simulator, text);
  if (outside !== undefined) return "problem" in outside ? outside : arriving(outside, asked);
  const name = parseName(text);
  if (name === undefined) return malformed(text);
  const [service, found] = [serviceNamed(snapshot, name), podsNamed(snapshot, name)];
  if (service === undefined) return found === undefined ? nothing(snapshot, name) : atPods(found, asked, []);
  const port = portOf(service, asked);
  if (port !== undefined && found?.isPod !== true) return behind(snapshot, service, port, found);
  if (found === undefined) return { problem: `${lacks(service, asked)}.`, typed: "", known: [] };
  const why = port === undefined ? `${lacks(service, asked)}: ` : "";
  return atPods(found, asked, [`${why}${found.name} is meant, not the Service.`]);
}

function atPods(found: NamedPods, asked: Asked, notes: readonly string[]): Destination {
  const endpoints = found.pods.map(endpointOf).map(arrivingAt(asked));
  return { name: found.name, endpoints, notes: [...notesOn(found), ...notes] };
}

function arriving(source: Source, asked: Asked): Destination {
  return { ...source, endpoints: source.endpoints.map(arrivingAt(asked)) };
}

function arrivingAt({ port }: Asked): (endpoint: Endpoint) => Arrival {
  return (endpoint) => ({ endpoint, port });
}

/** IPv6 addresses may stand in brackets. */
function outsideNamed(simulator: Simulator, given: string): Source | Unresolved | undefined {
  const text = given.replace(/^\[(.*)\]$/, "$1");
  const address = parseAddress(text);
  if (address === undefined) {
    const set = text === "internet" ? internet : parseCidr(text);
    if (set === undefined) return undefined;
    const endpoints = samplesOf(simulator, set).map((each): Endpoint => ({ kind: "external", address: each }));
    return { name: text, endpoints, notes: [] };
  }
  const nobodys = whyNobodys(text);
  if (nobodys !== undefined) return { problem: `${nobodys}.`, typed: "", known: [] };
  const isHere = (own: string): boolean => {
    const parsed = parseAddress(own);
    return parsed?.family === address.family && parsed.value === address.value;
  };
  const pod = simulator.snapshot.pods.find(({ addresses }) => addresses.some(isHere));
  if (pod === undefined) return { name: text, endpoints: [{ kind: "external", address: text }], notes: [] };
  const notes = [`${text} is the address of pod ${pod.namespace}/${pod.name ?? pod.workload.name}.`];
  return { name: text, endpoints: [endpointOf(pod)], notes };
}

/** No policy sees a Service's own address: what is sent there arrives at its pods. */
function atAddress(
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
function behind(
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

function notesOn({ name, others }: NamedPods): readonly string[] {
  if (others.length === 0) return [];
  return [`${name} is meant; there is also a ${others.join(" and a ")} of that name (namespace/kind/name names it).`];
}

function endpointOf(pod: SimulatedPod): Endpoint {
  return { kind: "pod", pod };
}

function serviceName({ namespace, name }: SimulatedService): string {
  return `Service ${namespace}/${name}`;
}

function lacks(service: SimulatedService, { protocol, port }: Asked): string {
  if (service.externalName !== undefined) return standsForName(service, service.externalName);
  const own = service.ports.map((each) => `${each.protocol} ${each.port}`).join(", ");
  return `${serviceName(service)} has no port ${protocol} ${port} (it has ${own === "" ? "none" : own})`;
}

function standsForName(service: SimulatedService, externalName: string): string {
  return `${serviceName(service)} stands for the DNS name ${externalName} and leads to no pod; name an address instead`;
}

function noPods(service: SimulatedService): Unresolved {
  if (service.externalName !== undefined) {
    return { problem: `${standsForName(service, service.externalName)}.`, typed: "", known: [] };
  }
  const why =
    Object.keys(service.selector).length === 0 ? "it has no selector" : "no pod has the labels that it selects";
  return { problem: `${serviceName(service)} has no pods: ${why}.`, typed: "", known: [] };
}

function malformed(text: string): Unresolved {
  const forms = "namespace/name, namespace/kind/name, an IP address, a CIDR or internet";
  return { problem: `"${text}" is none of ${forms}.`, typed: "", known: [] };
}

function nothing({ namespaces, pods, services }: Snapshot, { namespace, kind, name }: Name): Unresolved {
  const problem = `There is no ${kind ?? "pod, workload or Service"} ${namespace}/${name}.`;
  if (!namespaces.some((each) => each.name === namespace)) {
    return { problem, typed: namespace, known: namespaces.map((each) => each.name) };
  }
  const names = [...pods.flatMap((pod) => [{ ...pod, name: pod.workload.name }]), ...services];
  const known = new Set(names.filter((each) => each.namespace === namespace).map((each) => each.name));
  return { problem, typed: name, known: [...known] };
}
