import fc from "fast-check";
import { expect, test } from "vitest";
import {
  allPorts,
  hasPort,
  intersectPorts,
  noPorts,
  type PortSet,
  portRange,
  portsByProtocol,
  protocols,
  samePorts,
  subtractPorts,
  unitePorts,
} from "../../src/simulator/ports.ts";

const range = fc
  .tuple(fc.constantFrom(...protocols), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }))
  .map(([protocol, a, b]) => portRange(protocol, Math.min(a, b), Math.max(a, b)));
const set = fc.array(range, { maxLength: 5 }).map((ranges) => ranges.reduce(unitePorts, noPorts));

/** By asking every port that the generator can touch. */
function members(ports: PortSet): readonly string[] {
  return protocols.flatMap((protocol) =>
    Array.from({ length: 14 }, (_, port) => port)
      .filter((port) => hasPort(ports, protocol, port))
      .map((port) => `${protocol} ${port}`),
  );
}

test("Union, intersection and difference hold just the ports that they should", () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const [inA, inB] = [members(a), members(b)];
      expect(members(unitePorts(a, b)).toSorted()).toEqual([...new Set([...inA, ...inB])].toSorted());
      expect(members(intersectPorts(a, b))).toEqual(inA.filter((port) => inB.includes(port)));
      expect(members(subtractPorts(a, b))).toEqual(inA.filter((port) => !inB.includes(port)));
    }),
  );
});

test("The same ports are the same set, however they came together", () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      expect(samePorts(unitePorts(a, b), unitePorts(b, a))).toBe(true);
      expect(samePorts(unitePorts(subtractPorts(a, b), intersectPorts(a, b)), a)).toBe(true);
    }),
  );
});

test("All ports are 1 to 65535 of each protocol, and port 0 is none", () => {
  const whole = [[1, 65_535]];
  expect(portsByProtocol(allPorts)).toEqual({ TCP: whole, UDP: whole, SCTP: whole });
  expect(portRange("TCP", 0, 0)).toEqual(noPorts);
  expect(portsByProtocol(subtractPorts(allPorts, portRange("UDP", 53, 53))).UDP).toEqual([
    [1, 52],
    [54, 65_535],
  ]);
});
