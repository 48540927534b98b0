import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import { labelPatch, stripPatch } from "../policy/detach.ts";
import type { DriftRecord } from "../policy/drift.ts";
import { type Manifest, manifestName } from "../policy/manifest.ts";
import { containing, marks } from "../policy/marks.ts";
import type { JsonPatchOperation, Labels, Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { AllowPlan, QuarantinePlan } from "../policy/plan.ts";
import { selectorQuery } from "../policy/selector.ts";
import { containedEnds } from "./allow-contained.ts";
import { changePolicies } from "./change-policies.ts";
import { createObjects, objectsOf } from "./deny-objects.ts";
import { detectionOf } from "./detection.ts";
import { objectsToRead } from "./drift-of.ts";
import type { Hold } from "./hold.ts";
import { mismatchAmong } from "./is-as-written.ts";
import { waitForRealised } from "./realised.ts";
import { clusterOf, type Services } from "./services.ts";
import { snapshotOf } from "./simulated.ts";
import { StepFailed } from "./step-failed.ts";

type Restoring = {
  readonly services: Services;
  readonly cluster: Cluster;
  readonly operation: Operation;
  readonly hold: Pick<Hold, "check">;
};

/**
 * Puts back what the plan wrote, as far as these drifts are about that (isRestorable): objects first, then the pod's
 * quarantine label, then others' selectors, and labels come off last, once the deny is in force (invariant 6). Each write
 * is conditional on what was read right before. Throws StepFailed where something else is in the way, with what it left.
 */
export async function putBack(
  services: Services,
  operation: Operation,
  { drifts, hold }: { readonly drifts: readonly DriftRecord[]; readonly hold: Pick<Hold, "check"> },
): Promise<void> {
  const { cluster } = clusterOf(services, operation.target.cluster);
  const restoring = { services, cluster, operation, hold };
  if (operation.plan?.kind === "allow") await refuseContained(cluster, operation.plan);
  const names = new Set(drifts.flatMap(({ object }) => (object === undefined ? [] : manifestName(object))));
  for (const written of objectsToRead(operation)) {
    if (names.has(manifestName(written))) await putObject(restoring, written);
  }
  const { plan } = operation;
  const is = (kind: DriftRecord["kind"]): boolean => drifts.some((drift) => drift.kind === kind);
  if (plan?.kind !== "quarantine") return;
  if (is("label-off")) await label(restoring, plan, 3);
  if (is("selector-back")) await changePolicies({ ...restoring, operation: operation.id }, plan.exclusions ?? []);
  if (is("labels-back")) {
    await inForce(restoring, plan);
    await strip(restoring, plan, 3);
  }
}

/** Containment wins (invariant 13), also over what was opened before it. */
async function refuseContained(cluster: Cluster, { openings, target }: AllowPlan): Promise<void> {
  const ends = openings.flatMap(({ from, to }) => [from, to]);
  const namespaces = new Set([target.namespace, ...ends.flatMap((end) => (end.kind === "pods" ? end.namespace : []))]);
  const [policies, ...pods] = await Promise.all([
    cluster.listPolicies(selectorQuery(containing)),
    ...[...namespaces].map((namespace) => cluster.listPods(namespace, "")),
  ]);
  const none = { namespaces: [], services: [], workloads: [], policies: [] };
  const no = containedEnds(openings, policies, snapshotOf({ ...none, pods: pods.flat() }).pods);
  if (no !== undefined) throw new StepFailed(no.reason, no.next);
}

/** A NetworkPolicy by a patch, for which alone the bot has the right, and so that the deny is never away in between. */
async function putObject(restoring: Restoring, written: Manifest, tries = 3): Promise<void> {
  const { cluster, operation, hold } = restoring;
  const stored = await cluster.getObject(written);
  if (stored === undefined) return putAnew(restoring, written);
  await hold.check();
  const { namespace = "", name } = written.metadata;
  const { kind } = isNetworkPolicy(written)
    ? await cluster.patchPolicy(namespace, name, patchOf(written, stored, operation), operation.id)
    : await replace(restoring, written, stored);
  if (kind === "patched") return;
  if (tries <= 1)
    throw new StepFailed(`${manifestName(written)} kept changing`, "It is as somebody else wrote it last.");
  return putObject(restoring, written, tries - 1);
}

/** What an allowance has lost is not opened anew: its time would count from then. */
async function putAnew({ cluster, operation, hold }: Restoring, written: Manifest): Promise<void> {
  if (operation.kind === "allowance") {
    throw new StepFailed(
      `${manifestName(written)} is gone`,
      `Open it anew with /np allow, or end the rest: /np end ${operation.id}`,
    );
  }
  await createObjects({ cluster, operation: operation.id, hold }, [written], () => undefined);
}

function isNetworkPolicy({ apiVersion, kind }: Manifest): boolean {
  return apiVersion === "networking.k8s.io/v1" && kind === "NetworkPolicy";
}

/** The plan's spec and marks; what others put beside them stays. An allowance ends when it would now, and never later. */
function patchOf(written: Manifest, stored: Manifest, { allowance }: Operation): readonly JsonPatchOperation[] {
  const known = allowance && knownAllowance(stored, allowance.ttlSeconds);
  const ttl = known === undefined ? {} : { [marks.ttlSeconds]: String(known.ttlSeconds) };
  const { labels, annotations } = stored.metadata;
  const member = (path: string, there: Labels | undefined, wanted: Labels): readonly JsonPatchOperation[] => [
    ...(there === undefined ? [{ op: "add", path, value: {} } as const] : []),
    ...Object.entries(wanted).map(([key, value]) => ({ op: "add", path: `${path}/${pointer(key)}`, value }) as const),
  ];
  return [
    { op: "test", path: "/metadata/uid", value: stored.metadata.uid },
    { op: "test", path: "/metadata/resourceVersion", value: stored.metadata.resourceVersion },
    { op: "add", path: "/spec", value: written.spec },
    ...member("/metadata/labels", labels, written.metadata.labels ?? {}),
    ...member("/metadata/annotations", annotations, { ...written.metadata.annotations, ...ttl }),
  ];
}

/** RFC 6901. */
function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** What a stronger engine has beside the NetworkPolicy, which denies meanwhile; the bot may create and delete it only. */
async function replace(restoring: Restoring, written: Manifest, stored: Manifest) {
  const { uid = "", resourceVersion = "" } = stored.metadata;
  const { kind } = await restoring.cluster.deleteObject(written, { uid, resourceVersion });
  if (kind === "conflict") return { kind } as const;
  await putAnew(restoring, written);
  return { kind: "patched" } as const;
}

/** Only where the deny is there: the label alone would make no difference, and claim one. */
async function label(restoring: Restoring, plan: QuarantinePlan, tries: number): Promise<void> {
  const { cluster, operation, hold } = restoring;
  await denyIsThere(restoring);
  const pod = await podOf(restoring, plan);
  if (pod.labels[marks.quarantine] === operation.id) return;
  await hold.check();
  const { kind } = await cluster.patchPod(pod.namespace, pod.name, labelPatch(pod, operation.id));
  if (kind === "patched") return;
  if (tries <= 1) throw new StepFailed("the pod kept changing", "The quarantine label is not on it.");
  return label(restoring, plan, tries - 1);
}

async function strip(restoring: Restoring, plan: QuarantinePlan, tries: number): Promise<void> {
  const { cluster, operation, hold } = restoring;
  const pod = await podOf(restoring, plan);
  const removes = plan.removes.filter((key) => Object.hasOwn(pod.labels, key));
  const { [marks.quarantine]: mark, ...others } = pod.labels;
  if (removes.length === 0) return;
  if (mark !== operation.id) throw new StepFailed("the quarantine label is not on the pod", "It has its other labels.");
  await denyIsThere(restoring);
  await hold.check();
  const { kind } = await cluster.patchPod(pod.namespace, pod.name, stripPatch(pod.uid, others, removes, operation.id));
  if (kind === "patched") return;
  if (tries <= 1) throw new StepFailed("the pod kept changing", "It bears the quarantine label and its other labels.");
  return strip(restoring, plan, tries - 1);
}

async function podOf({ cluster }: Restoring, { target, podUid }: QuarantinePlan): Promise<Pod> {
  const pod = await cluster.getPod(target.namespace, target.pod);
  if (pod === undefined || pod.uid !== podUid) throw new StepFailed("the pod is gone", "Nothing is left to cut off.");
  return pod;
}

async function denyIsThere({ cluster, operation }: Restoring): Promise<void> {
  const objects = objectsToRead(operation);
  const mismatch = mismatchAmong(objects, await Promise.all(objects.map((object) => cluster.getObject(object))));
  if (mismatch !== undefined) throw new StepFailed(mismatch, "No label of the pod was touched.");
}

/** Without its other labels, and no deny in force, the pod would be open (invariant 6). */
async function inForce({ services, cluster, operation }: Restoring, plan: QuarantinePlan): Promise<void> {
  const { target, nodeName, settleMs } = plan;
  const { plugin } = await detectionOf(services, cluster.name, "cache", nodeName === undefined ? [] : [nodeName]);
  const pods = [{ namespace: target.namespace, name: target.pod, nodeName }];
  const { realiseMs } = services.settings;
  const objects = objectsOf(plan);
  const question = { services, cluster, objects, plugin, pods, quarantine: operation.id, settleMs, realiseMs };
  const { state, words } = await waitForRealised(question);
  if (state === "failed" || state === "not-in-time")
    throw new StepFailed(words, "The pod keeps the labels that came back.");
}
