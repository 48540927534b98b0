import type { Cluster } from "../kubernetes/cluster.ts";
import { canonicalJson } from "../policy/canonical.ts";
import { annotationPath, restorePatch, unlabelPatch } from "../policy/detach.ts";
import { manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { JsonPatchOperation, Pod } from "../policy/objects.ts";
import type { QuarantinePlan, ReleasePlan } from "../policy/plan.ts";
import { changePoliciesBack } from "./change-policies.ts";
import { namesOf, objectsOf, ownObjectsOf, removeObjects } from "./deny-objects.ts";
import type { Hold } from "./hold.ts";
import { deletionCost } from "./release-plan.ts";
import type { Services } from "./services.ts";
import { StepFailed } from "./step-failed.ts";
import { tracingOf } from "./tracing.ts";

/** One release on its way. */
export type Restoration = {
  readonly services: Pick<Services, "wait" | "tracing">;
  readonly cluster: Cluster;
  readonly plan: ReleasePlan;
  readonly quarantine: QuarantinePlan;
  readonly hold: Hold;
  done(step: string): Promise<void>;
};

/** What the read-back found: `exact` where labels are as before and nothing of ours is left. */
export type Restored = { readonly exact: boolean; readonly lines: readonly string[] };

/** How long a deleted pod may take to go before the release ends without removing the policy. */
const goneWithinMs = 45_000;

/**
 * Ends a quarantine without an open moment (invariant 6): the old labels come back while our policy still holds, then
 * a settle time, then the quarantine label goes, then the policy. Every step looks at what is there and does only what
 * is missing, so that each can be repeated.
 */
export async function restore(restoration: Restoration): Promise<Restored> {
  const { plan, services } = restoration;
  const unchanged: string[] = [];
  if (plan.mode === "restore") {
    await relabel(restoration, 3);
    await restoration.done("labels back");
    // Our deny still holds, so nothing opens yet.
    unchanged.push(...(await includeAgain(restoration)));
    await tracingOf(services).span("settle", {}, () => services.wait(plan.settleMs));
    await restoration.done("settled");
    await unlabel(restoration, 3);
    await restoration.done("quarantine label off");
  }
  if (plan.mode === "delete") {
    await deletePod(restoration);
    await restoration.done("pod gone");
  }
  if (plan.mode !== "restore") unchanged.push(...(await includeAgain(restoration)));
  await removeDenies(restoration);
  await restoration.done("policy deleted");
  const found = await tracingOf(services).span("verify", {}, () => readBack(restoration));
  await restoration.done("read back");
  return { exact: found.exact && unchanged.length === 0, lines: [...unchanged, ...found.lines] };
}

/** Policies of others that the quarantine changed select the pod again. Returns, as sentences, what was left as it is. */
async function includeAgain(restoration: Restoration): Promise<readonly string[]> {
  const { cluster, plan, quarantine, hold } = restoration;
  const { exclusions = [] } = quarantine;
  if (exclusions.length === 0) return [];
  const left = await changePoliciesBack({ cluster, operation: plan.lifts, hold }, exclusions);
  await restoration.done("policies of others changed back");
  return left;
}

async function relabel(restoration: Restoration, tries: number): Promise<void> {
  const { cluster, plan, hold } = restoration;
  const pod = await thePod(restoration);
  if (pod === undefined) return;
  const mark = pod.labels[marks.quarantine];
  if (mark !== undefined && mark !== plan.lifts) {
    throw new StepFailed(`the pod is quarantined by ${mark} now`, `Release ${mark} to end that.`);
  }
  await hold.check();
  const labels = restorePatch(pod, plan.labelsBefore);
  const patch = [...labels, ...(labels.length === 0 ? [] : costPatch(pod, plan))];
  if (patch.length === 0) return;
  const { kind } = await cluster.patchPod(plan.target.namespace, plan.target.pod, patch);
  if (kind !== "conflict") return;
  if (tries <= 1) throw new StepFailed("the pod's labels kept changing", "The quarantine is still in force.");
  return relabel(restoration, tries - 1);
}

/** Tells the ReplicaSet whom to keep; goes in the same patch as the labels, since it acts on them at once. */
function costPatch(pod: Pod, { keep }: ReleasePlan): readonly JsonPatchOperation[] {
  if (keep === "any") return [];
  const value = keep === "this" ? "2147483647" : "-2147483648";
  if (pod.annotated) return [{ op: "add", path: annotationPath(deletionCost), value }];
  return [
    { op: "test", path: "/metadata/resourceVersion", value: pod.resourceVersion },
    { op: "add", path: "/metadata/annotations", value: { [deletionCost]: value } },
  ];
}

async function unlabel(restoration: Restoration, tries: number): Promise<void> {
  const { cluster, plan, hold, services } = restoration;
  const pod = await thePod(restoration);
  if (pod?.labels[marks.quarantine] !== plan.lifts) return;
  if (tries <= 0) throw new StepFailed("the pod kept changing", "The quarantine policy is still in force.");
  if (isStripped(pod, restoration)) {
    await relabel(restoration, 3);
    await tracingOf(services).span("settle", {}, () => services.wait(plan.settleMs));
    return unlabel(restoration, tries - 1);
  }
  await hold.check();
  const patch = [...unlabelPatch(pod), ...uncostPatch(pod, plan)];
  const { kind } = await cluster.patchPod(plan.target.namespace, plan.target.pod, patch);
  if (kind === "conflict") return unlabel(restoration, tries - 1);
}

/** A replica that slept in the middle of the quarantine may have taken them off once more. */
function isStripped({ labels }: Pod, { plan, quarantine }: Restoration): boolean {
  return quarantine.removes.some((key) => Object.hasOwn(plan.labelsBefore, key) && !Object.hasOwn(labels, key));
}

/** By now the ReplicaSet has chosen: the pod's own cost comes back. */
function uncostPatch(pod: Pod, { keep, deletionCostBefore }: ReleasePlan): readonly JsonPatchOperation[] {
  if (keep === "any" || pod.annotations[deletionCost] === undefined) return [];
  const path = annotationPath(deletionCost);
  return deletionCostBefore === undefined
    ? [{ op: "remove", path }]
    : [{ op: "replace", path, value: deletionCostBefore }];
}

/** A pod that is being deleted still runs: the policy stays until it is gone. */
async function deletePod({ cluster, plan, services, hold }: Restoration): Promise<void> {
  const { namespace, pod } = plan.target;
  await hold.check();
  await cluster.deletePod(namespace, pod, plan.podUid);
  for (let waitedMs = 0; waitedMs < goneWithinMs; waitedMs += 500) {
    const still = await cluster.getPod(namespace, pod);
    if (still === undefined || still.uid !== plan.podUid) return;
    await services.wait(500);
  }
  throw new StepFailed(
    "the pod is still terminating",
    "The quarantine stays in force; release it again once the pod is gone.",
  );
}

/** Only what is ours, at the version that was just read; the NetworkPolicy last, since the others' record is on it. */
async function removeDenies({ cluster, plan, quarantine, hold }: Restoration): Promise<void> {
  const left = await removeObjects({ cluster, operation: plan.lifts, hold }, objectsOf(quarantine));
  if (left.length > 0)
    throw new StepFailed(`${namesOf(left)} kept changing`, "It is still there; it selects no pod now.");
}

async function readBack(restoration: Restoration): Promise<Restored> {
  const { cluster, plan, quarantine } = restoration;
  const objects = ownObjectsOf(quarantine);
  const [pod, ...stored] = await Promise.all([thePod(restoration), ...objects.map((one) => cluster.getObject(one))]);
  const left = objects
    .filter((_, index) => stored[index] !== undefined)
    .map((one) => `${manifestName(one)} is still there`);
  if (pod === undefined) return { exact: left.length === 0, lines: [...left, goneLine(plan)] };
  const exact = canonicalJson(pod.labels) === canonicalJson(plan.labelsBefore);
  const kept = Object.keys(pod.labels).filter((key) => !Object.hasOwn(plan.labelsBefore, key));
  const labels = exact
    ? "The pod's labels are exactly as before."
    : kept.length > 0
      ? `The pod's labels are as before, and ${kept.toSorted().join(", ")} beside them.`
      : "The pod's labels are not as before: somebody changed them meanwhile.";
  const owner =
    pod.controller === undefined
      ? "No controller owns the pod."
      : `${pod.controller.kind} ${pod.controller.name} owns the pod again.`;
  return { exact: exact && left.length === 0, lines: [...left, labels, owner] };
}

function goneLine({ mode }: ReleasePlan): string {
  return mode === "restore" ? "The pod is gone: its controller deleted it as one too many." : "The pod is gone.";
}

async function thePod({ cluster, plan }: Restoration): Promise<Pod | undefined> {
  const pod = await cluster.getPod(plan.target.namespace, plan.target.pod);
  return pod?.uid === plan.podUid ? pod : undefined;
}
