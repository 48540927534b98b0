import { groupOf } from "../policy/group.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy, Pod } from "../policy/objects.ts";
import type { ContainPlan } from "../policy/plan.ts";
import { selects } from "../policy/selector.ts";
import type { Realised } from "../policy/verdict.ts";
import { allowancesOn, endAllowances } from "./allowances-on.ts";
import { readView } from "./cluster-view.ts";
import { unheldIn } from "./contain-effects.ts";
import { type GroupVerdict, verdictOf } from "./contain-verdict.ts";
import { createObjects, objectsOf, ownObjectsOf } from "./deny-objects.ts";
import { detectionOf } from "./detection.ts";
import { LeaseLost } from "./hold.ts";
import { mismatchAmong } from "./is-as-written.ts";
import { type Isolation, removeOrphans } from "./isolate.ts";
import { waitForRealised } from "./realised.ts";
import { tracingOf } from "./tracing.ts";

/** The quarantine of a workload or a lockdown on its way into the cluster. */
export type GroupIsolation = Omit<Isolation, "plan"> & { readonly plan: ContainPlan };

export type IsolatedGroup = GroupVerdict & { readonly pods: readonly Pod[] };

/**
 * Writes what selects them, waits, and reads back. No pod is touched, so that one that starts a moment later is caught
 * as the others are. Every step can be repeated after a crash.
 */
export async function isolateGroup(isolation: GroupIsolation): Promise<IsolatedGroup> {
  await isolation.hold.check();
  const created: Manifest[] = [];
  try {
    await createObjects(isolation, objectsOf(isolation.plan), (object) => void created.push(object));
    await isolation.done("policy written");
    await endAllowances(isolation.cluster, isolation.plan.ends ?? [], isolation);
    await endAllowances(isolation.cluster, await openedMeanwhile(isolation), isolation);
    const realised = await inForce(isolation);
    await isolation.done(realised.state === "realised" ? "realised" : "settled");
    const found = await tracingOf(isolation.services).span("verify", {}, () => readBack(isolation, realised));
    await isolation.done("read back");
    return found;
  } catch (error) {
    if (error instanceof LeaseLost) await removeOrphans(isolation, created);
    throw error;
  }
}

/** What was opened since the plan was drawn: whoever opens looks for what cuts off after writing, too. */
async function openedMeanwhile({ cluster, plan }: GroupIsolation): Promise<readonly string[]> {
  const { namespace } = plan.target;
  const [pods, policies] = await Promise.all([cluster.listPods(namespace, ""), cluster.listPolicies("", namespace)]);
  return allowancesOn(coveredBy(plan, pods), policies, plan.policy);
}

/** Waits for the engine's word on the pods that there are; where it has none, so long as policies need to settle. */
async function inForce({ services, cluster, plan }: GroupIsolation): Promise<Realised> {
  const pods = coveredBy(plan, await cluster.listPods(plan.target.namespace, ""));
  const { plugin } = await detectionOf(services, cluster.name, "cache", nodesOf(pods));
  const { realiseMs } = services.settings;
  const { settleMs } = plan;
  const objects = objectsOf(plan);
  return waitForRealised({ services, cluster, objects, plugin, pods, quarantine: undefined, settleMs, realiseMs });
}

/** Pods of the target whose label of a quarantine keeps them out of this, and that are in none. */
export function unheld(
  { policy }: Pick<ContainPlan, "policy">,
  pods: readonly Pod[],
  policies: readonly NetworkPolicy[],
): readonly Pod[] {
  const { podSelector = {} } = policy.spec;
  const matchExpressions = (podSelector.matchExpressions ?? []).filter(({ key }) => key !== marks.quarantine);
  return unheldIn(groupOf(pods, { ...podSelector, matchExpressions }), policies);
}

function escaped(plan: ContainPlan, pods: readonly Pod[], policies: readonly NetworkPolicy[]): string | undefined {
  const [first] = unheld(plan, pods, policies);
  return first && `pod ${first.name} bears a quarantine's label, is in none, and is not cut off`;
}

/** Those of the namespace's pods that the plan's policy cuts off. */
export function coveredBy({ policy }: Pick<ContainPlan, "policy">, pods: readonly Pod[]): readonly Pod[] {
  const { podSelector = {} } = policy.spec;
  const selected = pods.filter(({ labels }) => selects(podSelector, labels));
  return groupOf(selected, podSelector).covered;
}

function nodesOf(pods: readonly Pod[]): readonly string[] {
  return [...new Set(pods.flatMap(({ nodeName }) => nodeName ?? []))];
}

/** From fresh lists: the objects, the pods that they select now, and what all policies together still let through. */
async function readBack(
  { services, cluster, plan, principal }: GroupIsolation,
  realised: Realised,
): Promise<IsolatedGroup> {
  const { namespace } = plan.target;
  const objects = ownObjectsOf(plan);
  const [known, pods, policies, stored] = await Promise.all([
    cluster.facts(namespace, "cache"),
    cluster.listPods(namespace, ""),
    cluster.listPolicies("", namespace),
    Promise.all(objects.map((object) => cluster.getObject(object))),
  ]);
  const covered = coveredBy(plan, pods);
  const nodes = nodesOf(covered);
  const view = await readView(
    services,
    cluster.name,
    { namespace, facts: { ...known, pods, policies } },
    { nodes, principal },
  );
  return {
    ...verdictOf(plan, {
      mismatch: mismatchAmong(objects, stored) ?? escaped(plan, pods, policies),
      view,
      pods: covered,
      realised,
    }),
    pods: covered,
  };
}
