import type { Simulator } from "../simulator/compile.ts";
import { workloadName } from "./connection-rows.ts";

/**
 * What the rows of all connections cannot show, a sentence each: that there is nothing to connect, and workloads whose
 * first pod stands for others that differ from it in something that a policy looks at.
 */
export function blindSpots({ snapshot: { pods }, classOf }: Simulator): readonly string[] {
  if (pods.length === 0) return ["There is no workload and no pod, so there is nothing that could connect."];
  const workloads = Map.groupBy(pods, ({ workload }) => workloadName(workload));
  return [...workloads].flatMap(([name, own]) => {
    const classes = new Set(own.map((pod) => classOf.get(pod)));
    const first = own[0]?.name ?? "the first";
    return classes.size < 2
      ? []
      : [
          `The ${own.length} pods of ${name} differ in what policies look at: ${first} stands for all; explain asks each.`,
        ];
  });
}
