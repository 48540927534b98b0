import { selects } from "../policy/selector.ts";
import type { Protocol } from "../simulator/model.ts";
import {
  intersectPorts,
  noPorts,
  type PortSet,
  portRange,
  portsByProtocol,
  subtractPorts,
  unitePorts,
} from "../simulator/ports.ts";
import { targetOf } from "../simulator/services.ts";
import type { SimulatedPod, SimulatedService } from "../simulator/snapshot.ts";

/** A port on which a pod is known to listen, and by what: `Service checkout`, or the port's own name. */
export type KnownPort = { readonly protocol: Protocol; readonly port: number; readonly by: string };

/** What Services and named container ports tell of where a pod listens; the Services first, each port once. */
export function knownPorts(pod: SimulatedPod, services: readonly SimulatedService[]): readonly KnownPort[] {
  const behind = services.filter(
    ({ selector }) => Object.keys(selector).length > 0 && selects({ matchLabels: selector }, pod.labels),
  );
  const served = behind.flatMap((service) =>
    service.ports.flatMap((port) => {
      const target = targetOf(pod, service, port);
      return target === undefined ? [] : [{ protocol: port.protocol, port: target, by: `Service ${service.name}` }];
    }),
  );
  return withoutRepeats([...served, ...pod.ports.map(({ name, ...rest }) => ({ ...rest, by: name }))]);
}

function withoutRepeats(ports: readonly KnownPort[]): readonly KnownPort[] {
  return [...Map.groupBy(ports, ({ protocol, port }) => `${protocol} ${port}`).values()].flatMap((same) =>
    same.slice(0, 1),
  );
}

/** Ports in words, and how they came about. */
export type PortWords = {
  readonly text: string;
  /** A policy spoke of just these. */
  readonly byPolicy: boolean;
  /** Services or names tell them. */
  readonly known: boolean;
};

/** More ports than this no policy means one by one. */
const widest = 20;
const mostNamed = 4;

/** The ports of a set; where a policy says "all", or nothing, those of them on which the other end is known to listen. */
export function portWords(set: PortSet, known: readonly KnownPort[]): PortWords {
  const wide = set.reduce((sum, { first, last }) => sum + last - first + 1, 0) > widest;
  const narrowed = known.filter(
    ({ protocol, port }) => intersectPorts(set, portRange(protocol, port, port)).length > 0,
  );
  if (wide && narrowed.length > 0) return { text: `on ${listed(narrowed.map(named))}`, byPolicy: false, known: true };
  if (wide) return { text: rangesInWords(set), byPolicy: false, known: false };
  const others = portsByProtocol(without(set, narrowed));
  const single = Object.entries(others).flatMap(([protocol, ranges]) =>
    ranges.map((range) => inRange(protocol, range)),
  );
  return { text: `on ${listed([...narrowed.map(named), ...single])}`, byPolicy: true, known: narrowed.length > 0 };
}

function without(set: PortSet, known: readonly KnownPort[]): PortSet {
  const taken = known.reduce((sum, { protocol, port }) => unitePorts(sum, portRange(protocol, port, port)), noPorts);
  return subtractPorts(set, taken);
}

function named({ protocol, port, by }: KnownPort): string {
  return `${protocol} ${port} (${by})`;
}

function inRange(protocol: string, [first, last]: readonly [number, number]): string {
  return `${protocol} ${first}${first === last ? "" : `-${last}`}`;
}

function rangesInWords(set: PortSet): string {
  const protocols = portsByProtocol(set);
  const ranges = Object.entries(protocols);
  if (ranges.length === 3 && ranges.every(([, each]) => isAll(each))) return "on all ports";
  return `on ${listed(ranges.map(([protocol, each]) => (isAll(each) ? `all ${protocol} ports` : partly(protocol, each))))}`;
}

function isAll([first, ...others]: readonly (readonly [number, number])[]): boolean {
  return others.length === 0 && first?.[0] === 1 && first[1] === 65_535;
}

function partly(protocol: string, ranges: readonly (readonly [number, number])[]): string {
  const [first, ...others] = ranges;
  if (first === undefined) return "";
  return others.length === 0 ? inRange(protocol, first) : `many ${protocol} ports`;
}

function listed(texts: readonly string[]): string {
  const left = texts.length - mostNamed;
  return left <= 1 ? texts.join(", ") : `${texts.slice(0, mostNamed).join(", ")} and ${left} more`;
}
