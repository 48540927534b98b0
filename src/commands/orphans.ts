import type { Cluster } from "../kubernetes/cluster.ts";
import { containing, marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { ContainPlan, QuarantinePlan } from "../policy/plan.ts";
import { selectorQuery } from "../policy/selector.ts";
import { objectsOf, removeObjects } from "./deny-objects.ts";
import type { Services } from "./services.ts";

/** An operation that ended so shortly ago may have a replica that is about to clean up after itself. */
const restMs = 60_000;

/**
 * Deletes objects of ours that a replica wrote too late: it slept between looking and writing, over the whole of a
 * release. Only where the operation is known to be released and, of a pod's quarantine, no pod bears its label; by uid and resourceVersion. Returns
 * of how many operations. They are found by the NetworkPolicy, which each has. A cluster that cannot be asked is left for the next time.
 */
export async function sweepOrphans(services: Services): Promise<number> {
  const counts = await Promise.all(
    [...services.clusters.values()].map(({ cluster }) => sweepCluster(services, cluster)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function sweepCluster(services: Services, cluster: Cluster): Promise<number> {
  try {
    let deleted = 0;
    for (const policy of await cluster.listPolicies(selectorQuery(containing))) {
      const plan = await orphanedPlan(services, cluster, policy);
      if (plan === undefined) continue;
      const operation = policy.metadata.labels?.[marks.operation] ?? "";
      const left = await removeObjects({ cluster, operation, hold: nobodyElse }, objectsOf(plan));
      if (left.length === 0) deleted += 1;
    }
    return deleted;
  } catch (error) {
    services.meter({ kind: "error", where: "orphans", message: String(error) });
    return 0;
  }
}

/** What has ended is nobody's step any more. */
const nobodyElse = { check: () => Promise.resolve() };

type ContainingPlan = QuarantinePlan | ContainPlan;

/** The plan of the operation that the policy was written for, where it has ended and the policy is left over. */
async function orphanedPlan(
  services: Services,
  cluster: Cluster,
  { metadata }: NetworkPolicy,
): Promise<ContainingPlan | undefined> {
  const id = metadata.labels?.[marks.operation];
  const operation = id === undefined ? undefined : await services.operations.get(id);
  if (operation === undefined || !(await hasRested(services, operation))) return undefined;
  if (operation.target.cluster !== cluster.name || operation.target.namespace !== metadata.namespace) return undefined;
  const { plan } = operation;
  if (plan === undefined || plan.kind === "release" || plan.kind === "allow" || plan.kind === "undo") return undefined;
  return (await selectsNothing(cluster, metadata.namespace, operation)) ? plan : undefined;
}

/** Released, and so long ago that nobody is still at it. */
async function hasRested(services: Services, { state, liftedBy }: Operation): Promise<boolean> {
  if (state !== "done" || liftedBy === undefined) return false;
  const release = await services.operations.get(liftedBy);
  return services.now() - (release?.steps.at(-1)?.at ?? Number.POSITIVE_INFINITY) >= restMs;
}

/** That of a workload or a namespace goes by no label of ours: its release alone says that it is to cut off nobody. */
async function selectsNothing(cluster: Cluster, namespace: string, { id, plan }: Operation): Promise<boolean> {
  if (plan?.kind === "contain") return true;
  return (await cluster.listPods(namespace, `${marks.quarantine}=${id}`)).length === 0;
}
