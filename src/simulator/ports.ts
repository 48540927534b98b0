import { type Intervals, intersect, subtract, unite } from "./intervals.ts";
import type { Protocol } from "./model.ts";

/**
 * Ports of all protocols in one space, so that one arithmetic serves all: TCP from 0, UDP from 65536, SCTP from 131072.
 * Port 0 is in no set, which also keeps the protocols' intervals apart.
 */
export type PortSet = Intervals<number>;

export const protocols = ["TCP", "UDP", "SCTP"] as const satisfies readonly Protocol[];

const offsets = { TCP: 0, UDP: 65_536, SCTP: 131_072 };
const steps = { next: (port: number) => port + 1, previous: (port: number) => port - 1 };

export const noPorts: PortSet = [];

export const allPorts: PortSet = protocols.flatMap((protocol) => portRange(protocol, 1, 65_535));

/** Inclusive; what lies outside of 1-65535 is left out. */
export function portRange(protocol: Protocol, low: number, high: number): PortSet {
  const first = Math.max(low, 1);
  const last = Math.min(high, 65_535);
  return first > last ? noPorts : [{ first: offsets[protocol] + first, last: offsets[protocol] + last }];
}

/** Whether the set holds this one port. */
export function hasPort(set: PortSet, protocol: Protocol, port: number): boolean {
  const value = offsets[protocol] + port;
  return set.some(({ first, last }) => first <= value && value <= last);
}

/** `{ TCP: [[1, 65535]], UDP: [[53, 53]] }`: protocols without a port are left out. */
export function portsByProtocol(set: PortSet): Partial<Record<Protocol, [number, number][]>> {
  const ofProtocol = (offset: number): [number, number][] =>
    set
      .filter(({ first }) => first > offset && first <= offset + 65_535)
      .map(({ first, last }) => [first - offset, last - offset]);
  const all = protocols.map((protocol) => [protocol, ofProtocol(offsets[protocol])] as const);
  return Object.fromEntries(all.filter(([, ranges]) => ranges.length > 0));
}

/** Undefined of an empty set. */
export function firstPort(set: PortSet): { readonly protocol: Protocol; readonly port: number } | undefined {
  const [lowest] = set;
  const protocol = lowest && protocols.findLast((each) => offsets[each] < lowest.first);
  return lowest && protocol && { protocol, port: lowest.first - offsets[protocol] };
}

export function unitePorts(a: PortSet, b: PortSet): PortSet {
  if (a.length === 0 || b === allPorts) return b;
  if (b.length === 0 || a === allPorts) return a;
  return unite([...a, ...b], steps);
}

export function intersectPorts(a: PortSet, b: PortSet): PortSet {
  if (b === allPorts || a.length === 0) return a;
  if (a === allPorts || b.length === 0) return b;
  return intersect(a, b);
}

/** What is in `a` and not in `b`. */
export function subtractPorts(a: PortSet, b: PortSet): PortSet {
  if (a.length === 0 || b.length === 0) return a;
  if (b === allPorts) return noPorts;
  return subtract(a, b, steps);
}

export function samePorts(a: PortSet, b: PortSet): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every(({ first, last }, i) => first === b[i]?.first && last === b[i]?.last);
}
