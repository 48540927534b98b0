import { nameIn } from "./fields.ts";
import type { FlowEnd } from "./record.ts";

/** An end by what is known of it. */
export function endOf({ address, namespace, pod, workload, names = [], entity }: Partial<FlowEnd>): FlowEnd {
  return { address, namespace, pod, workload, names, entity };
}

/** `namespace/name`, as several sources write a pod; nothing where it is not that. */
export function podNamed(text: unknown): Pick<FlowEnd, "namespace" | "pod"> {
  const [namespace, pod, ...more] = typeof text === "string" ? text.split("/", 3).map(nameIn) : [];
  const isPod = namespace !== undefined && pod !== undefined && more.length === 0;
  return isPod ? { namespace, pod } : { namespace: undefined, pod: undefined };
}
