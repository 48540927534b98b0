import { isKind } from "../policy/kind.ts";
import type { SimulatedPod, Snapshot } from "./snapshot.ts";

/** `namespace/name` or `namespace/kind/name`, the kind in lower case. */
export type Name = { readonly namespace: string; readonly kind: string | undefined; readonly name: string };

export function parseName(text: string): Name | undefined {
  const parts = text.split("/");
  const [namespace = "", second = "", third] = parts;
  if (parts.length < 2 || parts.length > 3 || parts.some((part) => part === "")) return undefined;
  if (third === undefined) return { namespace, kind: undefined, name: second };
  return { namespace, kind: second.toLowerCase(), name: third };
}

export type NamedPods = {
  /** `pod db/postgres-0` or `db/postgres[StatefulSet]`. */
  readonly name: string;
  readonly pods: readonly [SimulatedPod, ...SimulatedPod[]];
  /** One pod by its own name. */
  readonly isPod: boolean;
  /** Other kinds that have a workload of this name. */
  readonly others: readonly string[];
};

/**
 * A pod before a workload. Of workloads of the same name and several kinds, the first by kind that makes pods itself: what
 * is named with its kind is only that.
 */
export function podsNamed({ pods }: Snapshot, { namespace, kind, name }: Name): NamedPods | undefined {
  const here = pods.filter((pod) => pod.namespace === namespace);
  const pod = kind === undefined || isKind(kind, "Pod") ? here.find((each) => each.name === name) : undefined;
  if (pod !== undefined) return { name: `pod ${namespace}/${name}`, pods: [pod], isPod: true, others: [] };
  const all = here.filter(
    ({ workload }) => workload.name === name && (kind === undefined || isKind(kind, workload.kind)),
  );
  const [chosen, ...others] = [...new Set(all.map(({ workload }) => workload.kind))].toSorted();
  const [first, ...rest] = all.filter(({ workload }) => workload.kind === chosen);
  return first && { name: `${namespace}/${name}[${chosen}]`, pods: [first, ...rest], isPod: false, others };
}
