import type { Cluster } from "../kubernetes/cluster.ts";
import type { Surroundings } from "../kubernetes/surroundings.ts";
import type { Labels, Pod } from "../policy/objects.ts";

/** What the impact of a containment is told by, beside what the simulator says. */
export type ImpactFacts = Surroundings & {
  readonly namespace: string;
  /** All that are contained; `Surroundings.pods` are some of them. */
  readonly contained: readonly Contained[];
};

export type Contained = {
  readonly name: string;
  /** Before; what becomes of them the plan says. */
  readonly labels: Labels;
  readonly ready: boolean;
};

/** Pods of one workload are alike: so many of them are looked at one by one. */
const mostPods = 5;

/**
 * Reads what a plan about these pods, all of one namespace, says in words. Never rejects: what could not be read is
 * named in `unread`.
 */
export async function readImpactFacts(
  cluster: Pick<Cluster, "surroundings">,
  namespace: string,
  pods: readonly Pod[],
): Promise<ImpactFacts> {
  const names = pods.slice(0, mostPods).map(({ name }) => name);
  const read = await cluster.surroundings(namespace, names);
  const contained = pods.map(({ name, labels, ready }) => ({ name, labels, ready }));
  return { ...read, namespace, contained };
}
