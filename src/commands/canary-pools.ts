import type { NodeState } from "../kubernetes/canary-pods.ts";
import type { PoolFinding } from "../scheduler/enforcement.ts";

/** Nodes that were made alike, and how a pod is sent to one of them. */
export type Pool = {
  readonly name: string;
  /** The label that they bear; undefined for nodes that bear none of `without`. */
  readonly label: { readonly key: string; readonly value: string } | undefined;
  readonly without: readonly string[];
};

/** By which label vendors say to which pool a node belongs (their documentation of node labels). */
const wellKnown = [
  "cloud.google.com/gke-nodepool",
  "eks.amazonaws.com/nodegroup",
  "karpenter.sh/nodepool",
  "kubernetes.azure.com/agentpool",
  "doks.digitalocean.com/node-pool",
  "k8s.scaleway.com/pool-name",
  "lke.linode.com/pool-id",
  "kops.k8s.io/instancegroup",
] as const;

/** More pods at once than two for each of these is no throw-away test any more. */
const mostPools = 20;

type Wanted = { readonly nodePoolLabel: string | undefined; readonly tolerateTaints: boolean };

/** The pools of which some node would take the canary's pods, and a finding for each of the others. Sorted by name. */
export function poolsOf(
  nodes: readonly NodeState[],
  wanted: Wanted,
): { readonly pools: readonly Pool[]; readonly untested: readonly PoolFinding[] } {
  const keys = wanted.nodePoolLabel === undefined ? wellKnown : [wanted.nodePoolLabel];
  const members = Map.groupBy(nodes, (node) => keyOf(node, keys));
  const groups = [...members.values()]
    .map((group) => ({ group, pool: poolOf(group, keys, members.size) }))
    .toSorted((one, other) => (one.pool.name < other.pool.name ? -1 : 1));
  const fit = groups.filter(({ group }) => group.some((node) => whyUnfit(node, wanted) === undefined));
  const unfit = groups.filter((one) => !fit.includes(one));
  return {
    pools: fit.slice(0, mostPools).map(({ pool }) => pool),
    untested: [
      ...unfit.map(({ pool, group }) => untested(pool, whyNone(group, wanted))),
      ...fit.slice(mostPools).map(({ pool }) => untested(pool, `no more than ${mostPools} pools are tested at once`)),
    ],
  };
}

/** A name for the grouping alone. */
function keyOf({ labels }: NodeState, keys: readonly string[]): string {
  const key = keys.find((one) => labels[one] !== undefined);
  return key === undefined ? "" : `${key}=${labels[key]}`;
}

function poolOf(group: readonly NodeState[], keys: readonly string[], howMany: number): Pool {
  const labels = group[0]?.labels ?? {};
  const key = keys.find((one) => labels[one] !== undefined);
  if (key !== undefined) return { name: labels[key] ?? "", label: { key, value: labels[key] ?? "" }, without: [] };
  return { name: howMany === 1 ? "all nodes" : "nodes of no pool", label: undefined, without: keys };
}

function whyUnfit({ labels, ready, cordoned, taints }: NodeState, { tolerateTaints }: Wanted): string | undefined {
  if (labels["kubernetes.io/os"] === "windows") return "Windows";
  if (!ready) return "not ready";
  if (cordoned) return "cordoned";
  return taints.length > 0 && !tolerateTaints ? `tainted ${taints.join(", ")}` : undefined;
}

function whyNone(group: readonly NodeState[], wanted: Wanted): string {
  const whys = new Set(group.map((node) => whyUnfit(node, wanted)));
  return `none of its ${group.length} nodes takes such a pod (${[...whys].join("; ")})`;
}

function untested({ name }: Pool, because: string): PoolFinding {
  return { pool: name, state: "untested", because };
}
