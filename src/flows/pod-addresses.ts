import type { Pod } from "../policy/objects.ts";
import { addressIn } from "./address.ts";
import { createPodNames, type PodNames } from "./pod-names.ts";
import { createTenureBook } from "./tenure-book.ts";
import type { PodTenant } from "./tenures.ts";
import { type WorkloadName, workloadOfPod } from "./workload-of.ts";

/**
 * Which pod had which address when, of each cluster. Addresses are reused within seconds, so a flow is the pod's that had
 * its address at the time. All times are in milliseconds since the epoch.
 */
export type PodAddresses = Omit<PodNames, "saw" | "left" | "purge"> & {
  /** The pod is there as this says; to be told in the order in which it was seen. */
  saw(cluster: string, pod: Pod, nowMs: number): void;
  gone(cluster: string, pod: Pod, nowMs: number): void;
  /** Undefined: no pod's, or longer ago than an hour. Never a pod of the host network: those have their node's. */
  at(cluster: string, address: string, atMs: number): PodTenant | "ambiguous" | undefined;
  /** Whether it is an address of a node on which a pod was seen. */
  isNode(cluster: string, address: string): boolean;
};

/** A pod that went is remembered for so long. */
const keepMs = 3_600_000;
/** Each look at the beginning of a Map passes over all that was deleted there. */
const purgeEveryMs = 60_000;
/** Of all clusters, the latest that ended: with the pods that are there, that is all that is held. */
const mostEnded = 50_000;
const mostNodes = 20_000;

type Options = {
  /** What says better whose a pod is. Undefined: as the pod says (workloadOfPod). */
  readonly workloadOf?: (cluster: string, pod: Pod) => WorkloadName | undefined;
};

export function createPodAddresses({ workloadOf = () => undefined }: Options = {}): PodAddresses {
  const book = createTenureBook(keepMs, mostEnded);
  const names = createPodNames(keepMs);
  const nodes = new Set<string>();
  let purgedMs = 0;

  const purge = (nowMs: number): void => {
    if (nowMs - purgedMs < purgeEveryMs) return;
    purgedMs = nowMs;
    book.purge(nowMs);
    names.purge(nowMs);
  };
  const leave = (cluster: string, { addresses, uid }: { addresses: readonly string[]; uid: string }, nowMs: number) =>
    book.leave(
      addresses.map((address) => keyOf(cluster, address)),
      uid,
      nowMs,
    );
  return {
    saw(cluster, pod, nowMs) {
      purge(nowMs);
      const addresses = hasNetwork(pod) && !pod.hostNetwork ? pod.podIPs.map(canonical) : [];
      for (const address of addressesOfNode(pod)) noteNode(nodes, keyOf(cluster, address));
      const workload = workloadOf(cluster, pod) ?? workloadOfPod(pod);
      const { tenant, before } = names.saw(cluster, { pod, addresses, workload }, nowMs);
      const lost = before?.addresses.filter((address) => !addresses.includes(address)) ?? [];
      leave(cluster, { addresses: lost, uid: pod.uid }, nowMs);
      const maybeFromMs = Math.min(before?.withoutMs ?? madeMs(pod, nowMs), nowMs);
      for (const address of addresses) book.begin(keyOf(cluster, address), tenant, { maybeFromMs, nowMs });
    },
    gone(cluster, pod, nowMs) {
      purge(nowMs);
      const known = names.left(cluster, pod, nowMs) ?? [];
      leave(cluster, { addresses: [...pod.podIPs.map(canonical), ...known], uid: pod.uid }, nowMs);
    },
    at: (cluster, address, atMs) => book.at(keyOf(cluster, address), atMs),
    isNode: (cluster, address) => nodes.has(keyOf(cluster, address)),
    byName: (...pod) => names.byName(...pod),
    workloadLike: (...workload) => names.workloadLike(...workload),
  };
}

/** A pod that has run to its end has given its address back, whatever its status says (facts: network-policy §1). */
function hasNetwork({ phase }: Pod): boolean {
  return phase !== "Succeeded" && phase !== "Failed";
}

function addressesOfNode({ hostIP, hostNetwork, podIPs }: Pod): readonly string[] {
  const own = hostIP === undefined ? [] : [canonical(hostIP)];
  return hostNetwork ? [...own, ...podIPs.map(canonical)] : own;
}

/** Where there are too many, the half that was noted first goes. */
function noteNode(nodes: Set<string>, key: string): void {
  nodes.add(key);
  if (nodes.size > mostNodes) for (const old of [...nodes].slice(0, mostNodes / 2)) nodes.delete(old);
}

function madeMs({ creationTimestamp }: Pod, nowMs: number): number {
  const made = Date.parse(creationTimestamp);
  return Number.isNaN(made) ? nowMs : made;
}

/** As sources' addresses are written; what is no address stays as it is. */
function canonical(address: string): string {
  return addressIn(address) ?? address;
}

/** No address has a space. */
function keyOf(cluster: string, address: string): string {
  return `${address} ${cluster}`;
}
