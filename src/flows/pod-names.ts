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
  readonly cluster: string;
  readonly tenant: PodTenant;
  readonly addresses: readonly string[];
  /** When it was last seen without an address. */
  readonly withoutMs: number | undefined;
};

/** Whoever is gone is known by name for `keepMs`. */
export function createPodNames(keepMs: number): PodNames {
  const byKey = new Map<string, Known>();
  /** In the order in which they went. */
  const gone = new Map<string, number>();
  const workloads = createWorkloads();

  return {
    saw(cluster, { pod, addresses, workload }, nowMs) {
      const key = keyOf(cluster, pod.namespace, pod.name);
      const known = byKey.get(key);
      const before = known?.tenant.uid === pod.uid ? known : undefined;
      const tenant = tenantOf(pod, workload, before !== undefined && hasNewAddress(before, addresses) ? nowMs : before);
      const withoutMs = addresses.length === 0 ? nowMs : before?.withoutMs;
      if (known !== undefined) workloads.release(cluster, known.tenant);
      workloads.hold(cluster, tenant);
      byKey.set(key, { cluster, tenant, addresses, withoutMs });
      gone.delete(key);
      return { tenant, before };
    },
    left(cluster, { namespace, name, uid }, nowMs) {
      const key = keyOf(cluster, namespace, name);
      const known = byKey.get(key);
      if (known?.tenant.uid !== uid) return undefined;
      gone.set(key, nowMs);
      return known.addresses;
    },
    purge(nowMs) {
      for (const [key, goneMs] of gone) {
        if (goneMs >= nowMs - keepMs) break;
        gone.delete(key);
        const known = byKey.get(key);
        byKey.delete(key);
        if (known !== undefined) workloads.release(known.cluster, known.tenant);
      }
    },
    byName: (cluster, namespace, pod) => byKey.get(keyOf(cluster, namespace, pod))?.tenant,
    workloadLike: (cluster, namespace, text) => workloads.find(keyOf(cluster, namespace, text)),
  };
}

/** Workloads by their own names and by what their pods' names begin with, for as long as one of these is known. */
function createWorkloads() {
  const byKey = new Map<string, { readonly workload: WorkloadName; pods: number }>();
  const keysOf = (cluster: string, { namespace, name, workload }: PodTenant) =>
    [workload.name, siblingsPrefix(name)].map((text) => keyOf(cluster, namespace, text));
  return {
    hold(cluster: string, tenant: PodTenant): void {
      for (const key of keysOf(cluster, tenant))
        byKey.set(key, { workload: tenant.workload, pods: (byKey.get(key)?.pods ?? 0) + 1 });
    },
    release(cluster: string, tenant: PodTenant): void {
      for (const key of keysOf(cluster, tenant)) {
        const held = byKey.get(key);
        if (held === undefined || held.pods <= 1) byKey.delete(key);
        else held.pods -= 1;
      }
    },
    find: (key: string): WorkloadName | undefined => byKey.get(key)?.workload,
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
