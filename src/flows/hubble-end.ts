import { endOf } from "./ends.ts";
import { fieldsOf, listIn, nameIn, wholeIn } from "./fields.ts";
import type { FlowEnd, FlowEntity, FlowWorkload } from "./record.ts";

/** An end of a Hubble flow, of its Endpoint, its address, and the names by which the agent saw it resolved. */
export function hubbleEnd(endpoint: unknown, address: string | undefined, names: unknown): FlowEnd {
  const { namespace, pod_name, workloads, labels, identity } = fieldsOf<EndpointField>(endpoint);
  const pod = nameIn(pod_name);
  const workload = workloadOf(workloads);
  return endOf({
    address,
    namespace: nameIn(namespace),
    pod,
    workload,
    names: listIn(names, mostNames).flatMap((name) => nameIn(name) ?? []),
    entity: pod === undefined && workload === undefined ? entityOf(labels, identity) : undefined,
  });
}

type EndpointField = "namespace" | "pod_name" | "workloads" | "labels" | "identity";

const mostNames = 8;
const mostLabels = 64;

/** A pod has one; of several in an aggregate the first. */
function workloadOf(workloads: unknown): FlowWorkload | undefined {
  const { name, kind } = fieldsOf<"name" | "kind">(listIn(workloads, 1)[0]);
  const named = nameIn(name);
  return named === undefined ? undefined : { kind: nameIn(kind), name: named };
}

/** By its reserved label, and by the number of its identity where a field mask leaves labels out. */
function entityOf(labels: unknown, identity: unknown): FlowEntity | undefined {
  const all = listIn(labels, mostLabels);
  const byLabel = byReservedLabel.find(([label]) => all.includes(label));
  return byLabel === undefined ? byIdentity.get(wholeIn(identity) ?? 0) : byLabel[1];
}

/** What says most comes first: the API server's node is a remote node as well. */
const byReservedLabel: readonly (readonly [string, FlowEntity])[] = [
  ["reserved:kube-apiserver", "kube-apiserver"],
  ["reserved:health", "health"],
  ["reserved:host", "host"],
  ["reserved:remote-node", "remote-node"],
  ["reserved:world", "world"],
  ["reserved:world-ipv4", "world"],
  ["reserved:world-ipv6", "world"],
];

/** Cilium's reserved identities, from its documentation ("Identity", special identities). */
const byIdentity: ReadonlyMap<number, FlowEntity> = new Map([
  [1, "host"],
  [2, "world"],
  [4, "health"],
  [6, "remote-node"],
  [7, "kube-apiserver"],
  [9, "world"],
  [10, "world"],
]);
