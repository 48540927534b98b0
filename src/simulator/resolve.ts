import { parseAddress, parseCidr } from "./addresses.ts";
import type { Simulator } from "./compile.ts";
import type { Endpoint } from "./decide.ts";
import { type Name, type NamedPods, parseName, podsNamed } from "./names.ts";
import { internet, samplesOf, whyNobodys } from "./outside.ts";
import type { Arrival, Asked, Destination, Source, Unresolved } from "./resolution.ts";
import { atAddress, behind, endpointOf, lacks, noPods, serviceName } from "./resolve-service.ts";
import { podsOfService, portOf, serviceAt, serviceNamed } from "./services.ts";
import type { Snapshot } from "./snapshot.ts";

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

function notesOn({ name, others }: NamedPods): readonly string[] {
  if (others.length === 0) return [];
  return [`${name} is meant; there is also a ${others.join(" and a ")} of that name (namespace/kind/name names it).`];
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
