import { canonicalHash } from "../policy/canonical.ts";
import { type Drift, driftId } from "../policy/drift.ts";
import type { LeftOpen } from "../policy/operation.ts";
import type { ContainPlan, QuarantinePlan, ResidualAllow } from "../policy/plan.ts";
import { compile } from "../simulator/compile.ts";
import type { WireObject } from "../simulator/model.ts";
import type { Settings, SimulatedPod, Snapshot } from "../simulator/snapshot.ts";
import { isAmong, objectsOf } from "./deny-objects.ts";
import { withPodToCome } from "./pod-to-come.ts";
import { residualOf } from "./residual-words.ts";

/** What a policy leaves open of a containment, whoever is there to use it. */
export type Left = ResidualAllow & LeftOpen;

/** By the policies alone: what agents say of themselves comes and goes. */
const settings: Settings = { engine: undefined, ipBlockMatchesPods: "unknown" };

/**
 * What the policies leave open of these pods, each looked at as if it were alone: the same whoever else runs, so that a
 * later answer differs only where policies or the pods' own labels do. Pods that are alike count once; none stands for
 * those that the plan's selector describes.
 */
export function leftOf(
  snapshot: Snapshot,
  plan: QuarantinePlan | ContainPlan,
  subjects: readonly SimulatedPod[],
): readonly Left[] {
  const { namespace } = plan.target;
  const own: Snapshot = {
    ...snapshot,
    pods: [],
    services: snapshot.services.filter((service) => service.namespace === namespace),
    policies: snapshot.policies.filter((policy) => mayBear(policy, namespace)),
  };
  const alike = Map.groupBy(subjects, ({ labels, serviceAccount, ports, hostNetwork }) =>
    canonicalHash([labels, serviceAccount, ports, hostNetwork]),
  );
  const cases = [...alike.values()].flatMap(([first]) => (first === undefined ? [] : [withPod(own, first)]));
  if (cases.length === 0 && plan.kind === "contain") cases.push(withPodToCome(own, plan));
  const left = cases.flatMap((one) => {
    const ours = own.policies.filter(isAmong(objectsOf(plan)));
    return residualOf(compile(one.snapshot, settings), one.subjects, ours).map(withDigest);
  });
  return [...new Map(left.map((one) => [`${one.policy} ${one.how}`, one])).values()];
}

/** The same for the record of a containment, by which later answers are judged. */
export function leavesOf(...asked: Parameters<typeof leftOf>): readonly LeftOpen[] {
  return leftOf(...asked).map(({ policy, how }) => ({ policy, how }));
}

/** What is left open now and was not when it was cut off, a drift for each policy. Records of old know only which policies did. */
export function reopenedBy(
  left: readonly Left[],
  before: readonly LeftOpen[] | undefined,
  plan: LeftByPlan,
): readonly Drift[] {
  const known = new Set(before?.map(({ policy, how }) => `${policy} ${how}`));
  const named = new Set(plan.residual.map(({ policy }) => policy));
  const isNew = ({ policy, how }: Left): boolean =>
    before === undefined ? !named.has(policy) : !known.has(`${policy} ${how}`);
  const byPolicy = Map.groupBy(left.filter(isNew), ({ policy }) => policy);
  return [...byPolicy].map(([policy, of]) => ({
    id: driftId("re-opened", policy, of.map(({ how }) => how).toSorted()),
    kind: "re-opened",
    what: of.find(isSure)?.claim ?? of[0]?.claim ?? `policy ${policy} still lets traffic through`,
    sure: of.some(isSure),
    policy,
  }));
}

type LeftByPlan = Pick<QuarantinePlan | ContainPlan, "residual">;

function isSure({ sure = true }: ResidualAllow): boolean {
  return sure;
}

/** Without its addresses and its node, which another one like it has not. */
function withPod(own: Snapshot, pod: SimulatedPod): { snapshot: Snapshot; subjects: readonly SimulatedPod[] } {
  const alone: SimulatedPod = { ...pod, name: undefined, addresses: [], node: undefined };
  return { snapshot: { ...own, pods: [alone] }, subjects: [alone] };
}

function withDigest(residual: ResidualAllow): Left {
  const { allows, sure = true } = residual;
  return { ...residual, how: canonicalHash([allows, sure]).slice(0, 12) };
}

/** A namespaced policy acts on pods of its own namespace only; Calico's sets are named from anywhere. */
function mayBear({ metadata, kind }: WireObject, namespace: string): boolean {
  return metadata.namespace === undefined || metadata.namespace === namespace || kind === "NetworkSet";
}
