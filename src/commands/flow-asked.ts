import type { FlowKey } from "../flows/flow-key.ts";
import type { Place } from "../flows/place.ts";
import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import { isKind } from "../policy/kind.ts";
import { type Target, targetReference } from "../policy/target.ts";
import { inTime } from "./clusters.ts";
import { clusterOf, type Services } from "./services.ts";
import { snapshotOf } from "./simulated.ts";

/** Which flows of a cluster are asked for: those that begin or end there. All undefined: every one. */
export type FlowScope = {
  readonly namespace: string | undefined;
  /** Undefined: all workloads of the namespace. */
  readonly workloads: readonly WorkloadAsked[] | undefined;
  /** As it was asked for, for people. */
  readonly words: string | undefined;
  /** A sentence that says for what a pod stands; undefined where it is what was asked for. */
  readonly remark?: string | undefined;
};

/** By name, of any kind where that is undefined (in lower case, as kubectl takes it). */
type WorkloadAsked = { readonly of: string | undefined; readonly name: string };

/** Whether one of its ends lies there. */
export function isInScope({ from, to }: FlowKey, scope: FlowScope): boolean {
  return scope.namespace === undefined || isThere(from, scope) || isThere(to, scope);
}

function isThere(place: Place, { namespace, workloads }: FlowScope): boolean {
  if (place.kind !== "workload" || place.namespace !== namespace) return false;
  return (
    workloads === undefined ||
    workloads.some(
      ({ of, name }) => place.name === name && (of === undefined || place.of === "Pods" || isKind(of, place.of)),
    )
  );
}

type Asked = {
  readonly namespace: string | undefined;
  readonly workload: WorkloadAsked | undefined;
};

/**
 * What was typed, in one cluster. A pod, or the beginning of pods' names, stands for their workloads; a name that is none there
 * now is a workload's that is gone.
 */
export async function scopeOf(services: Services, cluster: string, asked: Asked): Promise<FlowScope> {
  const { namespace, workload } = asked;
  if (namespace === undefined || workload === undefined) return { namespace, workloads: undefined, words: namespace };
  const owners = await ownersOf(services, cluster, { namespace, name: workload.name });
  const words = `${namespace}/${workload.of === undefined ? "" : `${workload.of}/`}${workload.name}`;
  return { namespace, workloads: [workload, ...owners], words, remark: remarkOf(workload.name, owners) };
}

/** The same of what an operation is about. */
export async function scopeOfTarget(services: Services, target: Target): Promise<FlowScope> {
  const { cluster, namespace, pod, workload } = target;
  const words = targetReference(target);
  if (workload !== undefined) {
    return { namespace, workloads: [{ of: workload.kind.toLowerCase(), name: workload.name }], words };
  }
  if (pod === undefined) return { namespace: namespace === "" ? undefined : namespace, workloads: undefined, words };
  const owners = await ownersOf(services, cluster, { namespace, name: pod });
  return { namespace, workloads: [{ of: undefined, name: pod }, ...owners], words, remark: remarkOf(pod, owners) };
}

/** Siblings cannot be told from it. */
function remarkOf(pod: string, owners: readonly WorkloadAsked[]): string | undefined {
  const names = owners.filter(({ name }) => name !== pod).map(({ of, name }) => `${of ?? ""} ${name}`);
  return names.length === 0
    ? undefined
    : `Flows are counted by workload: ${pod} stands for all of ${names.join(" and ")}.`;
}

async function ownersOf(
  services: Services,
  cluster: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<readonly WorkloadAsked[]> {
  const { pods, workloads } = await factsOf(services, cluster, namespace);
  if (workloads.some((one) => one.name === name)) return [];
  const named = pods.filter((pod) => pod.name.startsWith(name));
  const simulated = snapshotOf({ namespaces: [], pods: named, services: [], workloads, policies: [] });
  const owners = simulated.pods.map(({ workload }) => workload);
  return [...new Map(owners.map((owner) => [`${owner.kind} ${owner.name}`, owner])).values()].map((owner) => ({
    of: owner.kind.toLowerCase(),
    name: owner.name,
  }));
}

/** A cluster that does not answer keeps nobody from the flows that are counted already. */
async function factsOf(
  services: Services,
  cluster: string,
  namespace: string,
): Promise<Pick<NamespaceFacts, "pods" | "workloads">> {
  try {
    return await inTime(clusterOf(services, cluster).cluster.facts(namespace, "cache"));
  } catch (error) {
    services.meter({ kind: "error", where: "flows", message: String(error) });
    return { pods: [], workloads: [] };
  }
}
