import { groupOf } from "../policy/group.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { Pod } from "../policy/objects.ts";
import type { ContainPlan } from "../policy/plan.ts";
import { selects } from "../policy/selector.ts";
import type { Realised, Verdict } from "../policy/verdict.ts";
import { readView } from "./cluster-view.ts";
import { verdictOf } from "./contain-verdict.ts";
import { createObjects, objectsOf, ownObjectsOf } from "./deny-objects.ts";
import { detectionOf } from "./detection.ts";
import { LeaseLost } from "./hold.ts";
import { mismatchAmong } from "./is-as-written.ts";
import { type Isolation, removeOrphans } from "./isolate.ts";
import { waitForRealised } from "./realised.ts";

/** The quarantine of a workload or a lockdown on its way into the cluster. */
export type GroupIsolation = Omit<Isolation, "plan"> & { readonly plan: ContainPlan };

export type IsolatedGroup = Verdict & { readonly pods: readonly Pod[] };

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
    const realised = await inForce(isolation);
    await isolation.done(realised.state === "realised" ? "realised" : "settled");
    const found = await readBack(isolation, realised);
    await isolation.done("read back");
    return found;
  } catch (error) {
    if (error instanceof LeaseLost) await removeOrphans(isolation, created);
    throw error;
  }
}

/** Waits for the engine's word of the pods that are there now; where it has none, as long as the plan says. */
async function inForce({ services, cluster, plan }: GroupIsolation): Promise<Realised> {
  const { namespace } = plan.target;
  const { podSelector = {} } = plan.policy.spec;
  const pods = (await cluster.listPods(namespace, "")).filter(({ labels }) => selects(podSelector, labels));
  const { covered } = groupOf(pods, podSelector);
  const nodes = [...new Set(covered.flatMap(({ nodeName }) => nodeName ?? []))];
  const { plugin } = await detectionOf(services, cluster.name, "cache", nodes);
  const { realiseMs } = services.settings;
  const { settleMs } = plan;
  return waitForRealised({
    services,
    cluster,
    objects: objectsOf(plan),
    plugin,
    pods: covered.map((pod) => ({ namespace, name: pod.name, nodeName: pod.nodeName })),
    quarantine: undefined,
    settleMs,
    realiseMs,
  });
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
  const { podSelector = {} } = plan.policy.spec;
  const { covered } = groupOf(
    pods.filter(({ labels }) => selects(podSelector, labels)),
    podSelector,
  );
  const nodes = [...new Set(covered.flatMap(({ nodeName }) => nodeName ?? []))];
  const view = await readView(
    services,
    cluster.name,
    { namespace, facts: { ...known, pods, policies } },
    { nodes, principal },
  );
  const mismatch = mismatchAmong(objects, stored);
  return { ...verdictOf(plan, { mismatch, view, realised, pods: covered }), pods: covered };
}
