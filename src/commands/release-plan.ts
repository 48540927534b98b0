import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import { canonicalHash } from "../policy/canonical.ts";
import { servicesOf } from "../policy/effects.ts";
import { marks } from "../policy/marks.ts";
import type { Labels, Pod, Workload } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { KeepChoice, QuarantinePlan, ReleasePlan } from "../policy/plan.ts";
import { selects } from "../policy/selector.ts";

/** The annotation by which a ReplicaSet chooses whom to delete: lower first, int32 (KEP-2255). */
export const deletionCost = "controller.kubernetes.io/pod-deletion-cost";

export type ReleaseFacts = {
  readonly quarantine: Operation & { readonly plan: QuarantinePlan };
  /** The quarantined pod; undefined where it is gone or another one bears its name. */
  readonly pod: Pod | undefined;
  readonly facts: NamespaceFacts;
  /** The verified snapshot. */
  readonly labelsBefore: Labels;
  /** Said on the plan, e.g. that a copy of the snapshot was altered. */
  readonly warnings: readonly string[];
  readonly deletePod: boolean;
  readonly keep: KeepChoice;
  readonly settleMs: number;
};

/** The plan of a release. Pure. */
export function planRelease(given: ReleaseFacts): ReleasePlan {
  const { quarantine, pod, labelsBefore, keep } = given;
  const mode = pod === undefined ? "clean-up" : given.deletePod ? "delete" : "restore";
  const changes = changesOf(given, mode);
  const plan = {
    kind: "release",
    version: 1,
    lifts: quarantine.id,
    target: quarantine.plan.target,
    podUid: quarantine.plan.podUid,
    mode,
    labelsBefore,
    keep,
    deletionCostBefore: pod?.annotations[deletionCost],
    settleMs: given.settleMs,
    ...includesOf(quarantine.plan),
    effects: [...changes, ...(mode === "restore" ? [readiness(pod)] : [])],
    warnings: [...given.warnings, ...(pod === undefined ? [] : foreignLabels(pod, labelsBefore))],
    confirmations: 1,
  } satisfies Omit<ReleasePlan, "hash">;
  return { ...plan, hash: planHash(plan, { changes, overwrites: overwritten(pod, labelsBefore) }) };
}

/** Nothing where nothing was changed, so that the hash of such a plan is as it ever was. */
function includesOf({ exclusions = [] }: QuarantinePlan): Pick<ReleasePlan, "includes"> {
  return exclusions.length === 0 ? {} : { includes: exclusions.map(({ namespace, name }) => `${namespace}/${name}`) };
}

/** SHA-256 over the writes and what they change for the workload; not over the pod's readiness, which changes by itself. */
function planHash(
  { effects: _effects, warnings: _warnings, ...rest }: Omit<ReleasePlan, "hash">,
  { changes, overwrites }: { readonly changes: readonly string[]; readonly overwrites: readonly string[] },
): string {
  return canonicalHash({ ...rest, changes, overwrites });
}

/** What Services and the controller do with the pod: the sentences to which a Confirm is bound. */
function changesOf(
  { quarantine, pod, facts, labelsBefore, keep }: ReleaseFacts,
  mode: ReleasePlan["mode"],
): readonly string[] {
  const { plan } = quarantine;
  if (mode === "clean-up") return ["The pod is gone: only Bulkhead's own policy is removed."];
  if (mode === "delete") return ["The pod and what is in its memory are lost.", replacementAfterDelete(plan, facts)];
  return [
    ...(pod === undefined ? [] : behindServices(labelsAfter(pod, labelsBefore), plan.leavesServices, facts)),
    adoption(plan, facts, labelsBefore, keep),
  ];
}

/** Labels that others put on meanwhile stay. */
function labelsAfter({ labels }: Pod, before: Labels): Labels {
  const { [marks.quarantine]: _ours, ...others } = labels;
  return { ...others, ...before };
}

function behindServices(labels: Labels, left: readonly string[], { services }: NamespaceFacts): readonly string[] {
  const names = servicesOf({ labels }, services);
  const again = names.filter((name) => left.includes(name));
  const anew = names.filter((name) => !left.includes(name));
  return [
    ...(again.length === 0 ? [] : [`It answers again behind ${listed(again)}.`]),
    ...(anew.length === 0 ? [] : [`It answers behind ${listed(anew)} too, as it did not before.`]),
  ];
}

function listed(services: readonly string[]): string {
  return services.map((name) => `Service ${name}`).join(", ");
}

function readiness(pod: Pod | undefined): string {
  return pod?.ready === true ? "The pod is ready: traffic may reach it at once." : "The pod is not ready now.";
}

function adoption(plan: QuarantinePlan, facts: NamespaceFacts, labels: Labels, keep: KeepChoice): string {
  const { controller } = plan;
  if (controller === undefined) return "No controller owned it before; none adopts it.";
  const owner = facts.workloads.find(({ uid }) => uid === controller.uid);
  const name = `${controller.kind} ${controller.name}`;
  if (owner === undefined) return `${name} is gone: nothing adopts the pod, it stays on its own.`;
  if (!selects(owner.selector, labels))
    return `${name} does not select these labels any more: it does not adopt the pod.`;
  switch (controller.kind) {
    case "ReplicaSet":
    case "ReplicationController":
      return surplus(name, owner, keep);
    case "StatefulSet":
      return `${name} adopts it again and its rollout goes on.`;
    case "DaemonSet":
      return `${name} adopts it again and deletes one of the two pods on its node.`;
    case "Job":
      return `${name} adopts it again; where it has more pods than it wants, it deletes one.`;
    default:
      return `What ${name} does with it is not known.`;
  }
}

function surplus(name: string, { replicas }: Workload, keep: KeepChoice): string {
  if (replicas === 0) return `${name} is scaled to 0 (a rollout since?): it adopts the pod and DELETES it at once.`;
  const whom = {
    any: "usually the youngest",
    this: "not this one (pod-deletion-cost)",
    replacement: "this one (pod-deletion-cost)",
  };
  return `${name} adopts it again and then has one pod too many: it deletes one, ${whom[keep]}.`;
}

function replacementAfterDelete({ controller }: QuarantinePlan, facts: NamespaceFacts): string {
  if (controller === undefined) return "No controller owned it: nothing replaces it.";
  const owner = facts.workloads.some(({ uid }) => uid === controller.uid);
  const name = `${controller.kind} ${controller.name}`;
  if (!owner) return `${name} is gone: nothing replaces it.`;
  return controller.kind === "StatefulSet"
    ? `${name} can start the pod of that name again.`
    : `${name} replaced it already when it was quarantined.`;
}

/** Labels that others put on meanwhile stay, and are named: release undoes what Bulkhead did, nothing else. */
function foreignLabels(pod: Pod, before: Labels): readonly string[] {
  const keys = Object.keys(pod.labels).filter((key) => key !== marks.quarantine);
  const added = keys.filter((key) => !Object.hasOwn(before, key));
  const changed = overwritten(pod, before);
  return [
    ...(added.length === 0 ? [] : [`Labels that others added since stay: ${added.toSorted().join(", ")}.`]),
    ...(changed.length === 0 ? [] : [`Labels that others changed since get their old values: ${changed.join(", ")}.`]),
  ];
}

/** Keys of labels that others changed since and that a release sets back, sorted. */
function overwritten(pod: Pod | undefined, before: Labels): readonly string[] {
  return Object.entries(pod?.labels ?? {})
    .filter(([key, value]) => Object.hasOwn(before, key) && value !== before[key])
    .map(([key]) => key)
    .toSorted();
}
