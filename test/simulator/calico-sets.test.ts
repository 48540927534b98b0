import { describe, expect, test } from "vitest";
import type { WireObject } from "../../src/simulator/model.ts";
import { cluster, global, local, netSet, verdicts } from "./calico-cases.ts";

describe("Network sets", () => {
  const sets = [
    netSet("partners", "red", ["192.0.2.0/24", "2001:db8::/32"]),
    netSet("shop/partners", "blue", ["198.51.100.7"]),
  ];
  const outside = ["192.0.2.1 shop/db 80", "198.51.100.7 shop/db 80", "203.0.113.1 shop/db 80"];
  const from = (create: typeof global, name: string, source: string) =>
    create(name, `{ selector: app == 'db', ingress: [{ action: Allow, source: { ${source} } }] }`);

  test("A selector of a GlobalNetworkPolicy selects them by their labels (reference, EntityRule)", () => {
    const zones = from(global, "p", "selector: has(zone)");
    expect(verdicts([...sets, zones], outside)).toEqual(["allowed", "allowed", "denied"]);
    const red = from(global, "p", "selector: zone == 'red'");
    expect(verdicts([...sets, red], outside)).toEqual(["allowed", "denied", "denied"]);
  });

  test("A NetworkPolicy selects the NetworkSets of its namespace, and the global ones by global() (reference, Selector scopes)", () => {
    const own = from(local, "shop/p", "selector: has(zone)");
    expect(verdicts([...sets, own], outside)).toEqual(["denied", "allowed", "denied"]);
    const globals = from(local, "shop/p", "selector: has(zone), namespaceSelector: global()");
    expect(verdicts([...sets, globals], outside)).toEqual(["allowed", "denied", "denied"]);
    const all = from(local, "shop/p", "selector: has(zone), namespaceSelector: all()");
    expect(verdicts([...sets, all], outside)).toEqual(["denied", "allowed", "denied"]);
    const named = from(local, "shop/p", `namespaceSelector: "projectcalico.org/name == 'shop'"`);
    expect(verdicts([...sets, named], outside)).toEqual(["denied", "allowed", "denied"]);
  });

  test("notSelector leaves out the network sets that it selects (reference, Understanding notSelector)", () => {
    const policy = from(global, "p", "notSelector: zone == 'red'");
    expect(verdicts([...sets, policy], outside)).toEqual(["denied", "allowed", "allowed"]);
  });

  test("A pod whose address is in a selected set is matched by it", () => {
    const policy = from(global, "p", "selector: zone == 'pods'");
    const questions = ["ops/web shop/db 80", "shop/web shop/db 80"];
    expect(verdicts([netSet("pods", "pods", ["10.0.1.0/24"]), policy], questions)).toEqual(["allowed", "denied"]);
  });

  test("A NetworkSet inherits the labels of its namespace (libcalico-go, networksetprocessor.go)", () => {
    const policy = from(local, "shop/p", "namespaceSelector: team == 'a'");
    expect(verdicts([...sets, policy], outside)).toEqual(["denied", "allowed", "denied"]);
    const elsewhere = netSet("nowhere/x", "red", ["192.0.2.1"]);
    expect(verdicts([elsewhere, policy], outside)).toEqual(["denied", "denied", "denied"]);
  });

  test("The labels of one that is stored in the CRD of version 1 are in an annotation (libcalico-go, resources.go)", () => {
    const stored: WireObject = {
      apiVersion: "crd.projectcalico.org/v1",
      kind: "GlobalNetworkSet",
      metadata: { name: "x", annotations: { "projectcalico.org/metadata": `{"labels":{"zone":"red"}}` } } as never,
      spec: { nets: ["203.0.113.0/24"] },
    };
    const policy = from(global, "p", "selector: zone == 'red'");
    expect(verdicts([stored, policy], outside)).toEqual(["denied", "denied", "allowed"]);
  });

  test("One that cannot be read may be what any selector selects", () => {
    const { simulator, ask } = cluster([
      netSet("x", "red", ["nonsense"]),
      from(global, "p", "selector: zone == 'red'"),
    ]);
    expect(simulator.problems).toMatchObject([
      { object: { kind: "GlobalNetworkSet", name: "x" }, problems: [{ field: "spec.nets[0]" }] },
    ]);
    expect(ask("192.0.2.1", "shop/db", 80).verdict).toBe("undecided");
  });

  test("So may one of another namespace, for a GlobalNetworkPolicy", () => {
    const broken = netSet("shop/x", "red", ["nonsense"]);
    const policy = global(
      "p",
      "{ namespaceSelector: team == 'b', ingress: [{ action: Allow, source: { selector: a == 'b' } }] }",
    );
    const { ask } = cluster([broken, policy]);
    expect(ask("192.0.2.1", "ops/web", 80).verdict).toBe("undecided");
  });

  test("A host endpoint is selected by its labels and expectedIPs (reference, HostEndpoint)", () => {
    const host: WireObject = {
      apiVersion: "projectcalico.org/v3",
      kind: "HostEndpoint",
      metadata: { name: "n1", labels: { zone: "node" } } as never,
      spec: { node: "n1", interfaceName: "*", expectedIPs: ["203.0.113.1"] },
    };
    const policy = from(global, "p", "selector: zone == 'node'");
    expect(verdicts([host, policy], outside)).toEqual(["denied", "denied", "allowed"]);
  });
});
