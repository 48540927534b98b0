import { describe, expect, test } from "vitest";
import { cluster, local, verdicts } from "./calico-cases.ts";

describe("Protocols and ports", () => {
  const rule = (fields: string) =>
    local("shop/p", `{ selector: app == 'db', ingress: [{ action: Allow, ${fields} }] }`);
  const open = (fields: string, ports: readonly (number | string)[]) =>
    verdicts(
      [rule(fields)],
      ports.map((port) => `ops/web shop/db ${port}`),
    ).map((verdict) => verdict === "allowed");

  test("A protocol by name or by number, and none is every one (reference, Rule)", () => {
    const asked = ["80", "80/UDP", "80/SCTP"];
    expect(open("protocol: TCP", asked)).toEqual([true, false, false]);
    expect(open("protocol: 17", asked)).toEqual([false, true, false]);
    expect(open("protocol: 132", asked)).toEqual([false, false, true]);
    expect(open("metadata: { annotations: { a: b } }", asked)).toEqual([true, true, true]);
    expect(open("notProtocol: TCP", asked)).toEqual([false, true, true]);
    expect(open("notProtocol: ICMP", asked)).toEqual([true, true, true]);
    expect(open("protocol: TCP, notProtocol: 6", asked)).toEqual([false, false, false]);
    expect(open("protocol: UDPLite", asked)).toEqual([false, false, false]);
  });

  test("A rule for ICMP does not bear on TCP, and is told as not evaluated (reference, ICMP)", () => {
    const { ask } = cluster([rule("protocol: ICMP, icmp: { type: 8 }")]);
    const { ingress } = ask("ops/web", "shop/db", 80);
    expect(ingress.verdict).toBe("denied");
    expect(ingress.notEvaluated).toMatchObject([{ what: "ingress[0]: protocol ICMP" }]);
  });

  test("Ports are numbers, ranges and names (reference, Ports)", () => {
    const asked = [80, 6040, 6050, 6051, 8443];
    expect(open("protocol: TCP, destination: { ports: [80, '6040:6050', '8443'] }", asked)).toEqual([
      true,
      true,
      true,
      false,
      true,
    ]);
  });

  test("A port's name is that of the destination pod, for the rule's protocol, or for every one (reference, Named ports)", () => {
    const asked = ["5432", "5432/UDP", "53", "53/UDP"];
    expect(open("protocol: TCP, destination: { ports: [sql, dns] }", asked)).toEqual([true, false, false, false]);
    expect(open("destination: { ports: [sql, dns] }", asked)).toEqual([true, false, false, true]);
  });

  test("notPorts leaves ports out, also of ports (reference, EntityRule)", () => {
    const asked = ["79", "80", "90", "91", "80/UDP"];
    expect(open("protocol: TCP, destination: { notPorts: ['80:90'] }", asked)).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    expect(open("protocol: TCP, destination: { ports: ['80:100'], notPorts: ['80:90'] }", asked)).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  test("What is asked of the port that a connection comes from, of names in notPorts and of requests is undecided", () => {
    for (const fields of [
      "protocol: TCP, source: { ports: [1000] }",
      "protocol: TCP, destination: { notPorts: [sql] }",
      "http: { methods: [GET] }",
    ])
      expect(verdicts([rule(fields)], ["ops/web shop/db 80"])).toEqual(["undecided"]);
  });
});
