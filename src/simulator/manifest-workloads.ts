import type { ManifestObject } from "./manifest-objects.ts";
import type { Owner, PodPart } from "./manifest-pods.ts";
import type { SimulatedPod, WorkloadName } from "./snapshot.ts";

/** A pod or a workload's template, with its controller if it has one. */
export type Found = { readonly object: ManifestObject; readonly pod: PodPart; readonly owner: Owner | undefined };

/**
 * Whose each pod and template is, and each workload once: where there are pods of it, its template is left out, and so is
 * the ReplicaSet that a Deployment made or the Job of a CronJob.
 */
export function podsOfWorkloads(all: readonly Found[]): readonly SimulatedPod[] {
  const controllers = new Map(all.map((found) => [keyOf(nameOf(found.object)), found]));
  const named = all.map((found) => ({ found, workload: workloadOf(found, controllers) }));
  const withPods = new Set(named.filter(({ found }) => isPod(found)).map(({ workload }) => keyOf(workload)));
  const templates = new Map<string, Found>();
  for (const { found, workload } of named) {
    const key = keyOf(workload);
    if (isPod(found) || withPods.has(key)) continue;
    const other = templates.get(key);
    if (other === undefined || (other.owner !== undefined && found.owner === undefined)) templates.set(key, found);
  }
  return named
    .filter(({ found, workload }) => isPod(found) || templates.get(keyOf(workload)) === found)
    .map(({ found, workload }) => ({
      ...found.pod,
      namespace: workload.namespace,
      name: isPod(found) ? found.object.name : undefined,
      workload,
    }))
    .toSorted((a, b) => compare(keyOf(a.workload), keyOf(b.workload)) || compare(a.name ?? "", b.name ?? ""));
}

/**
 * Up from controller to controller as far as they are known by name. A ReplicaSet that is not there itself is named as
 * its Deployment is and the pod's template hash (as the Deployment controller names it).
 */
function workloadOf(found: Found, controllers: ReadonlyMap<string, Found>, depth = 0): WorkloadName {
  const own = nameOf(found.object);
  if (found.owner === undefined) return own;
  const named = { namespace: own.namespace, name: found.owner.name, kind: found.owner.kind };
  const owner = controllers.get(keyOf(named));
  if (owner !== undefined && depth < 5) return workloadOf(owner, controllers, depth + 1);
  const hash = found.pod.labels["pod-template-hash"];
  if (named.kind !== "ReplicaSet" || hash === undefined || !named.name.endsWith(`-${hash}`)) return named;
  const deployment = { ...named, kind: "Deployment", name: named.name.slice(0, -hash.length - 1) };
  return controllers.has(keyOf(deployment)) ? deployment : named;
}

function nameOf({ namespace = "", name, kind }: ManifestObject): WorkloadName {
  return { namespace, name, kind };
}

function isPod({ object }: Found): boolean {
  return object.is.role === "pod";
}

function keyOf({ namespace, name, kind }: WorkloadName): string {
  return `${namespace}/${name}[${kind}]`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
