import { expect, test } from "vitest";
import { deniesOf } from "../../src/engines/engines.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";
import { aDenial } from "./denials.ts";
import { noWays, type stronger } from "./random-denial.ts";

function endpoint(index: number, changes: Partial<Endpoint> = {}): Endpoint {
  const podSelector = { matchLabels: { app: `a${index}`, part: `p${index}` } };
  const namespaceSelector = { matchLabels: { team: `t${index}` } };
  const peer = { namespaceSelector, podSelector };
  return { name: `e${index}`, purpose: "forensics", direction: "egress", peer, ports: [{ port: 443 }], ...changes };
}

type Spec = { readonly egress: readonly { readonly name: string; readonly action: string }[] };

function denied(engine: (typeof stronger)[number], endpoints: readonly Endpoint[]) {
  const { objects, notes } = deniesOf(engine, aDenial({ endpoints }), noWays);
  return { spec: objects.at(-1)?.spec as unknown as Spec & Record<string, readonly object[]>, notes };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => endpoint(index));

test("More endpoints than rules fit stay denied, and are named; the denies keep their place", () => {
  for (const [engine, most] of [
    ["cluster-network-policy", 25],
    ["admin-network-policy", 100],
  ] as const) {
    const { spec, notes } = denied(engine, many(most));
    expect(spec.egress).toHaveLength(most);
    expect(spec.egress.at(-1)).toMatchObject({ name: "deny-networks", action: "Deny" });
    expect(notes.filter((note) => note.includes("stays denied"))).toEqual([
      expect.stringContaining(`Endpoint e${most - 2} stays denied`),
      expect.stringContaining(`Endpoint e${most - 1} stays denied`),
    ]);
  }
});

test("More ports than a rule may have are several rules, with Cilium several lists", () => {
  const ports = Array.from({ length: 60 }, (_, index) => ({ port: 1_000 + 2 * index }));
  const own = denied("cluster-network-policy", [endpoint(0, { ports })]).spec.egress;
  expect(own.map(({ name }) => name)).toEqual([
    "allow-out-1-e0",
    "allow-out-1-e0",
    "allow-out-1-e0",
    "deny-pods",
    "deny-networks",
  ]);
  const rules = denied("cilium", [endpoint(0, { ports })]).spec["egressDeny"] as { toPorts?: { ports: object[] }[] }[];
  const lists = rules.flatMap(({ toPorts = [] }) => toPorts);
  expect(lists.map((list) => list.ports.length)).toEqual([40, 23]);
});

test("With Cilium, endpoints that would make too many selectors stay denied, and are named", () => {
  const { spec, notes } = denied("cilium", many(8));
  expect(JSON.stringify(spec).length).toBeLessThan(400_000);
  expect(notes).toHaveLength(4);
  expect(notes[0]).toBe("Endpoint e4 stays denied: Cilium's policy would grow too large with it.");
});

test("What cannot be said is denied, and told", () => {
  const named = endpoint(0, { ports: [{ port: "https" }, { port: 443 }] });
  for (const engine of ["cilium", "cluster-network-policy", "admin-network-policy"] as const) {
    expect(denied(engine, [named]).notes.join()).toContain("Endpoint e0 stays denied on port https");
  }
  expect(denied("calico", [named]).notes).toEqual([]);
  expect(denied("antrea", [named]).notes).toEqual([]);
  const outside = endpoint(0, { peer: { ipBlock: { cidr: "192.0.2.0/24" } }, ports: [{ port: "https" }] });
  expect(denied("antrea", [outside]).notes.join()).toContain("finds no names of ports by addresses");
  const hashed = endpoint(0, { peer: { podSelector: { matchLabels: { "pod-template-hash": "6c8f" } } } });
  expect(denied("cilium", [hashed]).notes).toEqual([
    "Endpoint e0 stays denied: policies of Cilium do not see the label pod-template-hash of pods.",
  ]);
});

test("A subject by a label that Cilium does not see is said to be perhaps nothing", () => {
  const subject = { matchLabels: { app: "x", "pod-template-hash": "6c8f" } };
  const { notes } = deniesOf("cilium", aDenial({ subject }), noWays);
  expect(notes).toEqual([expect.stringContaining("do not see the label pod-template-hash")]);
});

test("Denying by the API of Kubernetes' admin tiers says what it leaves to NetworkPolicies", () => {
  expect(denied("admin-network-policy", []).notes).toEqual([
    "AdminNetworkPolicy denies ingress from pods only: what comes from nodes and from outside the cluster is left to NetworkPolicies.",
  ]);
});
