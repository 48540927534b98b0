import type { Namespace, Pod, Service, Workload } from "../policy/objects.ts";
import type { WireObject } from "../simulator/model.ts";
import type { SimulatedPod, Snapshot, WorkloadName } from "../simulator/snapshot.ts";

export type Observed = {
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  /** Of every policy API. */
  readonly policies: readonly WireObject[];
};

/** What was read of a cluster as the simulator wants it. Finished pods have no network, and are left out. */
export function snapshotOf({ namespaces, pods, services, workloads, policies }: Observed): Snapshot {
  const owners = new Map(workloads.map((workload) => [workload.uid, workload]));
  return {
    namespaces: namespaces.map(({ name, labels }) => ({ name, labels })),
    pods: pods.filter(hasNetwork).map((pod) => simulated(pod, owners)),
    services,
    policies,
  };
}

/** Facts: network-policy §1, completed pods. One that is terminating still has its network. */
export function hasNetwork({ phase }: Pod): boolean {
  return phase !== "Succeeded" && phase !== "Failed";
}

function simulated(pod: Pod, owners: ReadonlyMap<string, Workload>): SimulatedPod {
  const { namespace, name, labels, serviceAccount, ports, podIPs, nodeName, hostNetwork } = pod;
  return {
    namespace,
    name,
    labels,
    workload: workloadOf(pod, owners),
    serviceAccount,
    ports,
    addresses: podIPs,
    node: nodeName,
    hostNetwork,
  };
}

/** The owner's owner where there is one: a Deployment's pods belong to its ReplicaSets, a CronJob's to its Jobs. */
function workloadOf({ namespace, name, controller }: Pod, owners: ReadonlyMap<string, Workload>): WorkloadName {
  if (controller === undefined) return { namespace, name, kind: "Pod" };
  const top = owners.get(controller.uid)?.controller ?? controller;
  return { namespace, name: top.name, kind: top.kind };
}
