import { describe, expect, test } from "vitest";
import { poolsOf } from "../../src/commands/canary-pools.ts";
import type { NodeState } from "../../src/kubernetes/canary-pods.ts";

const gke = "cloud.google.com/gke-nodepool";
const byVendor = { nodePoolLabel: undefined, tolerateTaints: false };

function node(name: string, labels: Record<string, string> = {}, more: Partial<NodeState> = {}): NodeState {
  return { name, labels, ready: true, cordoned: false, taints: [], ...more };
}

describe("node pools", () => {
  test("are all nodes together where no label tells them apart", () => {
    const { pools, untested } = poolsOf([node("b"), node("a")], byVendor);
    expect(pools.map(({ name, label }) => [name, label])).toEqual([["all nodes", undefined]]);
    expect(pools[0]!.without).toContain(gke);
    expect(untested).toEqual([]);
  });

  test("are told apart by the labels of vendors, and what bears none is a pool too", () => {
    const nodes = [node("1", { [gke]: "web" }), node("2", { [gke]: "db" }), node("3", { [gke]: "db" }), node("4")];
    expect(poolsOf(nodes, byVendor).pools).toEqual([
      { name: "db", label: { key: gke, value: "db" }, without: [] },
      { name: "nodes of no pool", label: undefined, without: expect.arrayContaining([gke]) as string[] },
      { name: "web", label: { key: gke, value: "web" }, without: [] },
    ]);
  });

  test("go by the configured label alone where there is one", () => {
    const nodes = [node("1", { [gke]: "web", zone: "a" }), node("2", { [gke]: "db", zone: "a" })];
    expect(poolsOf(nodes, { ...byVendor, nodePoolLabel: "zone" }).pools.map(({ name }) => name)).toEqual(["a"]);
  });

  test.each([
    ["not ready", { ready: false }, "not ready"],
    ["cordoned", { cordoned: true }, "cordoned"],
    ["tainted", { taints: ["gpu"] }, "tainted gpu"],
    ["Windows", { labels: { "kubernetes.io/os": "windows", [gke]: "odd" } }, "Windows"],
  ])("of which every node is %s are findings, not silence", (_, more, why) => {
    const { pools, untested } = poolsOf([node("1", { [gke]: "web" }), node("2", { [gke]: "odd" }, more)], byVendor);
    expect(pools.map(({ name }) => name)).toEqual(["web"]);
    expect(untested).toEqual([
      { pool: "odd", state: "untested", because: `none of its 1 nodes takes such a pod (${why})` },
    ]);
  });

  test("with one node that takes pods are tested, and taints count for nothing where they are tolerated", () => {
    const tainted = node("1", { [gke]: "gpu" }, { taints: ["gpu"] });
    expect(poolsOf([tainted, node("2", { [gke]: "gpu" })], byVendor).untested).toEqual([]);
    expect(poolsOf([tainted], { ...byVendor, tolerateTaints: true }).pools.map(({ name }) => name)).toEqual(["gpu"]);
  });

  test("beyond twenty are named as not tested", () => {
    const nodes = Array.from({ length: 23 }, (_, n) => node(`${n}`, { [gke]: `pool-${n}` }));
    const { pools, untested } = poolsOf(nodes, byVendor);
    expect([pools.length, untested.length]).toEqual([20, 3]);
  });
});
