import type { Freshness } from "../kubernetes/cluster.ts";
import { canonicalHash } from "../policy/canonical.ts";
import { groupOf } from "../policy/group.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { manifestName } from "../policy/manifest.ts";
import type { Operation } from "../policy/operation.ts";
import type { ContainPlan, KeepChoice, LiftPlan } from "../policy/plan.ts";
import { targetName } from "../policy/target.ts";
import { someNames } from "./contain-effects.ts";
import { ownObjectsOf } from "./deny-objects.ts";
import { clusterOf, type Services } from "./services.ts";
import { provenPlan } from "./snapshot.ts";
import { oldPlan } from "./unanswered.ts";

type Choice = { readonly deletePod: boolean; readonly keep: KeepChoice; readonly from: Freshness };

/** The plan that ends a workload's quarantine or a lockdown: no label was changed, so only objects go. */
export async function drawLift(
  services: Services,
  contained: Operation & { readonly plan: ContainPlan },
  { deletePod, keep, from }: Choice,
): Promise<LiftPlan | Refusal> {
  const { id, plan: containing } = contained;
  const { target } = containing;
  if (deletePod || keep !== "any") {
    return refusal(
      `${id} is of ${targetName(target)}, and --delete-pod and --keep are about one pod`,
      `Type /np release ${id}`,
    );
  }
  const no = await provenPlan(services, contained);
  if (no !== undefined) return no;
  const facts = await clusterOf(services, target.cluster).cluster.facts(target.namespace, from);
  const { covered } = groupOf(facts.pods, containing.policy.spec.podSelector);
  const now = covered.length === 0 ? "none now" : `${covered.length} now: ${someNames(covered)}`;
  const plan = {
    kind: "release",
    version: 1,
    lifts: id,
    target,
    mode: "objects",
    removes: ownObjectsOf(containing).toReversed().map(manifestName),
    effects: [
      `Pods of ${targetName(target)} (${now}) connect again as the other policies say.`,
      "No label of a pod was changed, so none is changed back.",
    ],
    warnings: oldPlan(facts),
    confirmations: 1,
  } satisfies Omit<LiftPlan, "hash">;
  const { effects: _effects, warnings: _warnings, ...writes } = plan;
  return { ...plan, hash: canonicalHash(writes) };
}
