import { knownAllowance } from "../policy/allowance.ts";
import { canonicalHash } from "../policy/canonical.ts";
import { labelsDuring } from "../policy/detach.ts";
import { type Drift, driftId } from "../policy/drift.ts";
import { standingOf } from "../policy/exclusion.ts";
import { type Manifest, manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { Labels, NetworkPolicy, Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { AllowPlan, ContainPlan, QuarantinePlan } from "../policy/plan.ts";
import { selects } from "../policy/selector.ts";
import { ownObjectsOf } from "./deny-objects.ts";
import { mismatchAmong } from "./is-as-written.ts";
import { unheld } from "./isolate-group.ts";

/** What the cluster has of an operation, read after the operation was. */
export type There = {
  /** Those of objectsToRead, in its order; undefined: not there. */
  readonly objects: readonly (Manifest | undefined)[];
  /** All of the operation's namespace. */
  readonly pods: readonly Pod[];
  readonly policies: readonly NetworkPolicy[];
  /** The API server's clock at its latest, milliseconds since the epoch; undefined: not known. */
  readonly serverMs: number | undefined;
};

/** What the operation holds in force by objects of its own. */
export function objectsToRead({ plan }: Pick<Operation, "plan">): readonly Manifest[] {
  if (plan?.kind === "allow") return plan.objects;
  return plan?.kind === "quarantine" || plan?.kind === "contain" ? ownObjectsOf(plan) : [];
}

/**
 * How what is there differs from what the operation holds in force, but for what all policies together leave open
 * (reopenedBy). Of a pod that is gone, or a pod of the host's making, nothing is held any more.
 */
export function driftOf(operation: Operation, there: There): readonly Drift[] {
  const { plan } = operation;
  if (plan?.kind === "allow") return ofAllowance(operation, plan, there);
  if (plan?.kind === "contain") return [...ofObjects(plan, there), ...ofEscaped(plan, there)];
  if (plan?.kind !== "quarantine") return [];
  const pod = there.pods.find(({ uid }) => uid === plan.podUid);
  if (pod === undefined || !hasNetwork(pod)) return [];
  return [
    ...ofObjects(plan, there),
    ...ofLabels(operation.id, plan, pod),
    ...ofCopies(operation.id, plan, there.pods),
    ...ofSelectors(plan, there),
  ];
}

function ofObjects(plan: QuarantinePlan | ContainPlan, { objects }: There): readonly Drift[] {
  return ownObjectsOf(plan).flatMap((written, index) => ofObject(written, objects[index]));
}

function ofObject(written: Manifest, stored: Manifest | undefined): readonly Drift[] {
  const object = { apiVersion: written.apiVersion, kind: written.kind, metadata: placeOf(written) };
  const name = manifestName(written);
  if (stored === undefined) {
    const id = driftId("object-deleted", name);
    return [{ id, kind: "object-deleted", what: `${name} is gone`, sure: true, object }];
  }
  const spec = mismatchAmong([written], [stored]);
  const off = marksOff(written, stored);
  return [
    ...(spec === undefined
      ? []
      : [
          {
            id: driftId("object-changed", name, canonicalHash(stored.spec ?? {})),
            kind: "object-changed",
            what: `${name} is not as it was written`,
            sure: true,
            object,
          } as const,
        ]),
    ...(off.length === 0
      ? []
      : [
          {
            id: driftId("marks-off", name, off),
            kind: "marks-off",
            what: `${name} lacks what Bulkhead finds it by: ${off.join(", ")}`,
            sure: true,
            object,
          } as const,
        ]),
  ];
}

function placeOf({ metadata: { namespace, name } }: Manifest): Manifest["metadata"] {
  return namespace === undefined ? { name } : { namespace, name };
}

/** Keys of labels and annotations of ours that are not as they were written; an allowance's time is looked at by itself. */
function marksOff(written: Manifest, stored: Manifest): readonly string[] {
  const off = (was: Labels = {}, is: Labels = {}): readonly string[] =>
    Object.keys(was).filter(
      (key) => key.startsWith("bulkhead.dev/") && key !== marks.ttlSeconds && is[key] !== was[key],
    );
  const { labels, annotations } = written.metadata;
  const keys = [...off(labels, stored.metadata.labels), ...off(annotations, stored.metadata.annotations)];
  return [...new Set(keys)].toSorted();
}

function ofLabels(operation: string, plan: QuarantinePlan, pod: Pod): readonly Drift[] {
  const name = `${pod.namespace}/${pod.name}`;
  const mark = pod.labels[marks.quarantine];
  const expected = labelsDuring(pod.labels, plan.removes, operation);
  const back = plan.removes.filter((key) => Object.hasOwn(pod.labels, key) && !Object.hasOwn(expected, key));
  return [
    ...(mark === operation
      ? []
      : [{ id: driftId("label-off", name, mark), kind: "label-off", what: labelOff(name, mark), sure: true } as const]),
    ...(back.length === 0
      ? []
      : [
          {
            id: driftId("labels-back", name, back.toSorted()),
            kind: "labels-back",
            what: `pod ${name} has labels again that were taken off: ${back.toSorted().join(", ")}`,
            sure: true,
          } as const,
        ]),
  ];
}

function labelOff(pod: string, mark: string | undefined): string {
  return mark === undefined
    ? `the label ${marks.quarantine} was taken off pod ${pod}`
    : `the label ${marks.quarantine} of pod ${pod} was changed`;
}

/** What selects the one pod selects whoever bears its label. */
function ofCopies(operation: string, { podUid }: QuarantinePlan, pods: readonly Pod[]): readonly Drift[] {
  const others = pods.filter(({ uid, labels }) => uid !== podUid && labels[marks.quarantine] === operation);
  return others.map(({ namespace, name, uid }) => ({
    id: driftId("label-copied", uid),
    kind: "label-copied",
    what: `pod ${namespace}/${name} bears this quarantine's label too, and is cut off with it`,
    sure: true,
  }));
}

function ofSelectors({ exclusions = [] }: QuarantinePlan, { policies }: There): readonly Drift[] {
  return exclusions.flatMap((exclusion) => {
    const { namespace, name } = exclusion;
    const policy = policies.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    if (policy === undefined || standingOf(exclusion, policy) !== "before") return [];
    const object = { apiVersion: policy.apiVersion, kind: policy.kind, metadata: { namespace, name } };
    const what = `NetworkPolicy ${namespace}/${name} selects the pod again`;
    return [
      { id: driftId("selector-back", namespace, name), kind: "selector-back", what, sure: true, object } as const,
    ];
  });
}

/** Pods that were cut off when it was planned and are not selected now, and those that a label of a quarantine keeps out that is none. */
function ofEscaped(plan: ContainPlan, { pods, policies }: There): readonly Drift[] {
  const { podSelector = {} } = plan.policy.spec;
  const names = new Set(plan.pods);
  const isHeld = (pod: Pod): boolean =>
    pod.labels[marks.quarantine] !== undefined && unheld(plan, [pod], policies).length === 0;
  const relabelled = pods.filter(
    (pod) => names.has(pod.name) && hasNetwork(pod) && !selects(podSelector, pod.labels) && !isHeld(pod),
  );
  const all = new Map([...relabelled, ...unheld(plan, pods, policies)].map((pod) => [pod.uid, pod]));
  return [...all.values()].map(({ uid, namespace, name, labels }) => ({
    id: driftId("escaped", uid, labels),
    kind: "escaped",
    what: `pod ${namespace}/${name} was relabelled, and is not cut off any more`,
    sure: true,
  }));
}

function hasNetwork({ phase, hostNetwork }: Pod): boolean {
  return !hostNetwork && phase !== "Succeeded" && phase !== "Failed";
}

/** All of it gone is its end, which is told elsewhere; nothing of it is to be there past its time. */
function ofAllowance(operation: Operation, plan: AllowPlan, there: There): readonly Drift[] {
  const { allowance } = operation;
  if (allowance?.ended !== undefined || !there.objects.some((object) => object !== undefined)) return [];
  const ends = allowance?.endsAt;
  const isOver = ends === undefined || there.serverMs === undefined || there.serverMs >= ends;
  return plan.objects.flatMap((written, index) => {
    const stored = there.objects[index];
    if (stored === undefined) return isOver ? [] : ofObject(written, stored);
    return [...ofObject(written, stored), ...ofTtl(operation, stored)];
  });
}

/** It ends in time all the same where it says more, and sooner where it says less. */
function ofTtl({ allowance }: Operation, stored: Manifest): readonly Drift[] {
  if (allowance === undefined) return [];
  const { ttlSeconds, extending } = allowance;
  const said = stored.metadata.annotations?.[marks.ttlSeconds];
  if (said === String(ttlSeconds) || (extending !== undefined && said === String(extending.ttlSeconds))) return [];
  const known = knownAllowance(stored, ttlSeconds);
  if (known === undefined) return [];
  const name = manifestName(stored);
  const altered = known.altered ?? `its annotation ${marks.ttlSeconds} says less than was granted`;
  const object = { apiVersion: stored.apiVersion, kind: stored.kind, metadata: placeOf(stored) };
  const kind = known.ttlSeconds < ttlSeconds ? "ttl-shortened" : "ttl-altered";
  return [{ id: driftId(kind, name, said), kind, what: `${name}: ${altered}`, sure: true, object }];
}
