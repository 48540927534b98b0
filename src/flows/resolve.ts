import type { Place } from "./place.ts";
import { boundedName, rangeOf } from "./places.ts";
import type { PodAddresses } from "./pod-addresses.ts";
import type { FlowEnd, FlowWorkload } from "./record.ts";
import type { PodTenant } from "./tenures.ts";
import { foldOwner, workloadOfName } from "./workload-of.ts";

/** Where a flow was seen, and when: milliseconds since the epoch. */
export type Moment = { readonly cluster: string; readonly atMs: number };

/** Services by their own addresses, and which ports any Service has or leads to. */
export type ServiceBook = {
  at(cluster: string, address: string): { readonly namespace: string; readonly name: string } | undefined;
  hasPort(cluster: string, port: number): boolean;
};

export type Known = {
  readonly addresses: PodAddresses;
  readonly services?: ServiceBook | undefined;
  /** Of nodes that the pods do not tell of. */
  readonly isNode?: ((cluster: string, address: string) => boolean) | undefined;
};

export type Resolved = { readonly place: Place; readonly tenant: PodTenant | undefined };

/**
 * Who the end is: the pod that the source names, or that had its address then; the workload that the source names; else a
 * Service, a node, a name or a range of addresses.
 */
export function resolveEnd(end: FlowEnd, moment: Moment, known: Known): Resolved {
  const tenant = tenantOf(end, moment, known);
  if (tenant !== undefined && tenant !== "ambiguous") return { place: placeOfTenant(tenant), tenant };
  const place =
    named(end, moment.cluster, known) ??
    (tenant === "ambiguous" ? unknownPod : undefined) ??
    addressed(end, moment.cluster, known) ??
    outside(end);
  return { place, tenant: undefined };
}

/** The address was a pod's, and nobody can say of which: two had it within seconds. */
const unknownPod: Place = { kind: "entity", name: "a pod that is gone" };
const unknown: Place = { kind: "entity", name: "unknown" };
const node: Place = { kind: "node" };

function tenantOf({ address, namespace, pod }: FlowEnd, { cluster, atMs }: Moment, { addresses }: Known) {
  const byName = pod === undefined || namespace === undefined ? undefined : addresses.byName(cluster, namespace, pod);
  if (byName !== undefined || pod !== undefined || address === undefined) return byName;
  return addresses.at(cluster, address, atMs);
}

/** Pods of the host network have their node's address, and no policy of pods holds for them. */
function placeOfTenant({ namespace, workload, hostNetwork }: PodTenant): Place {
  return hostNetwork ? node : { kind: "workload", namespace, of: workload.kind, name: workload.name };
}

function named({ namespace, pod, workload }: FlowEnd, cluster: string, known: Known): Place | undefined {
  if (namespace === undefined && workload !== undefined)
    return { kind: "entity", name: boundedName([workload.kind, workload.name].filter(Boolean).join(" ")) };
  if (namespace === undefined || (workload === undefined && pod === undefined)) return undefined;
  const { kind, name } =
    workload === undefined ? workloadOfName(pod ?? "") : workloadSaid(workload, { namespace, cluster }, known);
  return { kind: "workload", namespace: boundedName(namespace), of: boundedName(kind), name: boundedName(name) };
}

type Where = { readonly namespace: string; readonly cluster: string };

/** `Pods`: a source named a workload and not of which kind, and nobody has seen a pod of it. */
function workloadSaid(said: FlowWorkload, { namespace, cluster }: Where, { addresses }: Known) {
  const name = said.name.replace(/-?\*$/, "").replace(/-$/, "");
  if (said.prefix) {
    const seen =
      addresses.workloadLike(cluster, namespace, `${name}-`) ?? addresses.workloadLike(cluster, namespace, name);
    if (seen !== undefined) return seen;
    // A ReplicaSet's hash nearly always has a digit; a word such as `db` has none.
    const folded = foldOwner({ kind: "ReplicaSet", name });
    return folded.kind === "Deployment" && /\d/.test(name.slice(folded.name.length)) ? folded : { kind: "Pods", name };
  }
  if (said.kind !== undefined && said.kind !== "") return foldOwner({ kind: said.kind, name: said.name });
  return addresses.workloadLike(cluster, namespace, said.name) ?? { kind: "Pods", name: said.name };
}

function addressed({ address, entity }: FlowEnd, cluster: string, known: Known): Place | undefined {
  if (entity === "host" || entity === "remote-node") return node;
  if (entity === "health" || entity === "kube-apiserver") return { kind: "entity", name: entity };
  if (address === undefined) return undefined;
  const service = known.services?.at(cluster, address);
  if (service !== undefined)
    return { kind: "workload", namespace: service.namespace, of: "Service", name: service.name };
  return known.addresses.isNode(cluster, address) || known.isNode?.(cluster, address) === true ? node : undefined;
}

function outside({ names: [name], address, entity, namespace }: FlowEnd): Place {
  if (name !== undefined) return { kind: "name", name: boundedName(name) };
  const range = address === undefined ? undefined : rangeOf(address);
  if (range !== undefined) return range;
  if (entity !== undefined) return { kind: "entity", name: entity };
  if (namespace === undefined) return unknown;
  return { kind: "workload", namespace: boundedName(namespace), of: "Namespace", name: boundedName(namespace) };
}
