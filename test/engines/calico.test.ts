import { expect, test } from "vitest";
import { denyByCalico } from "../../src/engines/calico.ts";
import { calicoSelector } from "../../src/engines/calico-selector.ts";
import { parseSelector } from "../../src/simulator/calico-selector.ts";
import { aDenial } from "./denials.ts";
import { noWays } from "./random-denial.ts";

const kinds = ["networkpolicies", "globalnetworkpolicies", "tiers"];
const v3 = kinds.map((kind) => `projectcalico.org/v3/${kind}`);

test("The tier stands before every other, bears no operation, and is written first", () => {
  const calicoTiers = [
    { name: "default", order: 1_000_000 },
    { name: "first", order: -3.5 },
    { name: "last", order: undefined },
  ];
  const { objects, notes } = denyByCalico(aDenial(), { ...noWays, served: v3, calicoTiers });
  expect(objects[0]).toEqual({
    apiVersion: "projectcalico.org/v3",
    kind: "Tier",
    metadata: { name: "bulkhead", labels: { "app.kubernetes.io/managed-by": "bulkhead" } },
    spec: { order: -4.5, defaultAction: "Pass" },
  });
  expect(objects).toHaveLength(2);
  expect(notes).toEqual([]);
});

test("A tier that is there is left alone, and the tiers before it are named", () => {
  const told = (order: number | undefined) => {
    const calicoTiers = [
      { name: "default", order: 1_000_000 },
      { name: "security", order: 0 },
      { name: "audit", order: 5 },
      { name: "bulkhead", order },
    ];
    const { objects, notes } = denyByCalico(aDenial(), { ...noWays, served: v3, calicoTiers });
    expect(objects.map(({ kind }) => kind)).toEqual(["NetworkPolicy"]);
    return notes;
  };
  expect(told(-1)).toEqual([]);
  expect(told(0)).toEqual([]);
  expect(told(5)[0]).toContain("its tiers security, audit before tier bulkhead");
  expect(told(undefined)[0]).toContain("its tiers default, security, audit before");
});

test("Where only GlobalNetworkPolicy is served, it says which namespace, and takes only pods", () => {
  const ways = { ...noWays, served: v3.filter((kind) => !kind.endsWith("/networkpolicies")) };
  const [, policy] = denyByCalico(aDenial(), ways).objects;
  expect(policy?.kind).toBe("GlobalNetworkPolicy");
  expect(policy?.metadata.namespace).toBeUndefined();
  expect(policy?.spec["namespaceSelector"]).toBe('projectcalico.org/name == "shop"');
  expect(policy?.spec["selector"]).toBe('projectcalico.org/orchestrator == "k8s" && bulkhead.dev/quarantine == "q-1"');
});

test("It writes to the storage only where that is allowed and v3 is not served, and then what nothing defaults", () => {
  const stored = kinds.map((kind) => `crd.projectcalico.org/v1/${kind}`);
  const versionWith = (served: readonly string[], writesCalicoStorage: boolean) =>
    denyByCalico(aDenial(), { ...noWays, served, writesCalicoStorage }).objects.map(({ apiVersion }) => apiVersion);
  const [v3Group, v1Group] = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];
  expect(versionWith([...v3, ...stored], true)).toEqual([v3Group, v3Group]);
  expect(versionWith(stored, false)).toEqual([v3Group, v3Group]);
  expect(versionWith(stored, true)).toEqual([v1Group, v1Group]);
  const [, policy] = denyByCalico(aDenial(), { ...noWays, served: stored, writesCalicoStorage: true }).objects;
  expect(policy?.metadata.name).toBe("bulkhead.bulkhead-q-1");
  expect(policy?.metadata.labels).toMatchObject({ "projectcalico.org/tier": "bulkhead" });
  expect(policy?.spec).toMatchObject({ tier: "bulkhead", types: ["Ingress", "Egress"] });
});

test("Without tiers it is a policy in the one list of all, before NetworkPolicies, and says what may come before it", () => {
  const ways = { ...noWays, served: ["projectcalico.org/v3/networkpolicies"], calicoTiers: [] };
  const { objects, notes } = denyByCalico(aDenial(), ways);
  expect(objects).toHaveLength(1);
  expect(objects[0]?.metadata).toMatchObject({ name: "bulkhead-q-1", namespace: "shop" });
  expect(objects[0]?.metadata.labels).toEqual(aDenial().labels);
  expect(objects[0]?.spec).not.toHaveProperty("tier");
  expect(objects[0]?.spec["order"]).toBe(0);
  expect(notes).toEqual([expect.stringContaining("has no tiers")]);
});

test("Where the tiers could not be read, it says that one may come before ours", () => {
  const { objects, notes } = denyByCalico(aDenial(), { ...noWays, served: v3, calicoTiers: [] });
  expect(objects.map(({ kind }) => kind)).toEqual(["Tier", "NetworkPolicy"]);
  expect(notes).toEqual([expect.stringContaining("Which tiers Calico has is not known")]);
});

test.each(['a"b', "a'b", `x" || all() || y == "z`, `x' || all() || y == 'z`, `both ' and "`])(
  "The value %j stays a value in a selector",
  (value) => {
    const both = value.includes('"') && value.includes("'");
    const selectors = [
      calicoSelector({ matchLabels: { app: value } }),
      calicoSelector({ matchExpressions: [{ key: "app", operator: "In", values: [value, "ok"] }] }),
      calicoSelector({ matchExpressions: [{ key: "app", operator: "NotIn", values: [value, "ok"] }] }),
    ];
    const kept = both ? ["ok"] : [value, "ok"];
    expect(selectors.map(parseSelector)).toEqual([
      both ? { op: "not", of: { op: "all" } } : { op: "in", key: "app", values: [value] },
      { op: "in", key: "app", values: kept },
      { op: "not in", key: "app", values: kept },
    ]);
  },
);
