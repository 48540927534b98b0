import type { Pod } from "../policy/objects.ts";
import type { PodTenant } from "./tenures.ts";
import { siblingsPrefix, type WorkloadName } from "./workload-of.ts";

/** Pods and workloads by the names that sources call them. */
export type PodNames = {
  saw(
    cluster: string,
    seen: SeenNow,
    nowMs: number,
  ): { readonly tenant: PodTenant; readonly before: Known | undefined };
  /** The addresses that it had when it was last seen. */
  left(cluster: string, pod: Pod, nowMs: number): readonly string[] | undefined;
  purge(nowMs: number): void;
  /** The pod of that name: one of a StatefulSet may have been another before. Undefined: none, or gone for long. */
  byName(cluster: string, namespace: string, pod: string): PodTenant | undefined;
  /** The workload of that name, or whose pods' names begin so, as `web-645b68dcf7-`. */
  workloadLike(cluster: string, namespace: string, text: string): WorkloadName | undefined;
};

type SeenNow = { readonly pod: Pod; readonly addresses: readonly string[]; readonly workload: WorkloadName };

type Known = {
  readonly tenant: PodTenant;
  readonly addresses: readonly string[];
  /** When it was last seen without an address. */
  readonly withoutMs: number | undefined;
  readonly goneMs: number | undefined;
};

/** Names are told apart from those of whoever is gone for `keepMs`. */
export function createPodNames(keepMs: number): PodNames {
  const byKey = new Map<string, Known>();
  const workloads = new Map<string, { readonly workload: WorkloadName; seenMs: number }>();

  return {
    saw(cluster, { pod, addresses, workload }, nowMs) {
      const key = keyOf(cluster, pod.namespace, pod.name);
      const known = byKey.get(key);
      const before = known?.tenant.uid === pod.uid ? known : undefined;
      const tenant = tenantOf(pod, workload, before !== undefined && hasNewAddress(before, addresses) ? nowMs : before);
      const withoutMs = addresses.length === 0 ? nowMs : before?.withoutMs;
      byKey.set(key, { tenant, addresses, withoutMs, goneMs: undefined });
      for (const text of [workload.name, siblingsPrefix(pod.name)])
        workloads.set(keyOf(cluster, pod.namespace, text), { workload, seenMs: nowMs });
      return { tenant, before };
    },
    left(cluster, { namespace, name, uid }, nowMs) {
      const key = keyOf(cluster, namespace, name);
      const known = byKey.get(key);
      if (known?.tenant.uid !== uid) return undefined;
      byKey.set(key, { ...known, goneMs: nowMs });
      return known.addresses;
    },
    purge(nowMs) {
      const used = new Set<string>();
      for (const [key, { tenant, goneMs }] of byKey) {
        if (goneMs !== undefined && goneMs < nowMs - keepMs) byKey.delete(key);
        else used.add(`${tenant.namespace}/${tenant.workload.name}`);
      }
      for (const [key, { workload, seenMs }] of workloads) {
        const [namespace = ""] = key.split("/");
        if (seenMs < nowMs - keepMs && !used.has(`${namespace}/${workload.name}`)) workloads.delete(key);
      }
    },
    byName: (cluster, namespace, pod) => byKey.get(keyOf(cluster, namespace, pod))?.tenant,
    workloadLike: (cluster, namespace, text) => workloads.get(keyOf(cluster, namespace, text))?.workload,
  };
}

function hasNewAddress({ addresses: before }: Known, addresses: readonly string[]): boolean {
  return before.length === 0 && addresses.length > 0;
}

/** `start`: when it was seen to get its address, or what was known of it before. */
function tenantOf(pod: Pod, workload: WorkloadName, start: number | Known | undefined): PodTenant {
  const made = Date.parse(pod.creationTimestamp);
  const startMs = typeof start === "number" ? start : (start?.tenant.startMs ?? (Number.isNaN(made) ? 0 : made));
  const { namespace, name, uid, hostNetwork, hostIP } = pod;
  return { namespace, name, uid, workload, startMs, hostNetwork, hostIP };
}

/** No name of Kubernetes has a slash; a cluster's name may be anything, and is last. */
function keyOf(cluster: string, namespace: string, name: string): string {
  return `${namespace}/${name}/${cluster}`;
}
