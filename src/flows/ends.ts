import type { FlowEnd } from "./record.ts";

/** An end by what is known of it. */
export function endOf({ address, namespace, pod, workload, names = [], entity }: Partial<FlowEnd>): FlowEnd {
  return { address, namespace, pod, workload, names, entity };
}
