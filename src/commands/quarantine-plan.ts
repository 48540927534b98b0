import type { Denial } from "../engines/denial.ts";
import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import { canonicalHash, canonicalJson } from "../policy/canonical.ts";
import { keysToRemove, labelPatch, labelsDuring, stripPatch } from "../policy/detach.ts";
import {
  attachedController,
  attachedServices,
  confirmationsFor,
  controllerEffect,
  lastReadyOf,
  serviceEffects,
  servicesOf,
} from "../policy/effects.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import type { DenyEngine } from "../policy/engine.ts";
import { type Refusal, refusal, refuseTarget } from "../policy/guard.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks, quarantinePolicyName } from "../policy/marks.ts";
import { choiceWords, type Left, nextSteps } from "../policy/next-steps.ts";
import type { Labels, Pod } from "../policy/objects.ts";
import { openConnectionsLine } from "../policy/open-connections.ts";
import type { Operation } from "../policy/operation.ts";
import type { Choices, QuarantinePlan } from "../policy/plan.ts";
import type { WireObject } from "../simulator/model.ts";
import type { Snapshot } from "../simulator/snapshot.ts";
import { type ClusterView, simulatedPod } from "./cluster-view.ts";
import { type Containment, objectsFor, simulateContainment } from "./containment.ts";
import { isAmong, objectsOf } from "./deny-objects.ts";
import { stateOf } from "./detection.ts";
import { type Excluded, excludedFrom, nothingExcluded } from "./exclusions.ts";
import { impactOf } from "./impact.ts";
import type { ImpactFacts } from "./impact-facts.ts";
import { probeEndpoints } from "./impact-probes.ts";
import { marksFor } from "./marks-for.ts";
import { ownNode } from "./plan-sections.ts";
import { residualOf } from "./residual-words.ts";
import type { Settings } from "./services.ts";
import { oldPlan } from "./unanswered.ts";

/** Everything that the decision looks at. */
export type QuarantineFacts = {
  readonly operation: Pick<Operation, "id" | "kind" | "principal" | "reason" | "incident">;
  readonly cluster: string;
  readonly pod: Pod;
  readonly facts: NamespaceFacts;
  /** The whole cluster, `facts` among it. */
  readonly view: ClusterView;
  readonly settings: Settings;
  readonly engine: DenyEngine;
  readonly choices: Choices;
  /** What a person is to know of the choice of the engine. */
  readonly remarks: readonly string[];
  /** Read for this plan, or what an earlier drawing of it was told of the same pod. */
  readonly around: ImpactFacts | Told;
  /** Names of configured endpoints whose selector matches no pod now. */
  readonly emptyEndpoints: readonly string[];
};

/** The plan of a quarantine, or the reason why there is none. Pure. */
export function planQuarantine(given: QuarantineFacts): QuarantinePlan | Refusal {
  const { pod, facts, settings, operation, engine, choices, view } = given;
  const no = refuse(given);
  if (no !== undefined) return no;
  const target = { cluster: given.cluster, namespace: pod.namespace, pod: pod.name };
  const labels = labelChanges(given);
  const openings = openingsOf(given.around);
  const denial = withChanges(denialOf(given, openings), labels);
  const { notes, ...objects } = objectsFor(engine, denial, view.detection);
  const containment = containmentOf(given, objectsOf(objects), labels);
  const said = told(given, containment, openings);
  const { because, state: enforcement } = stateOf(view.detection, engine);
  const controllerDoes = labels.detach ? controllerEffect(pod, facts.workloads) : attachedController(pod);
  const plan = {
    kind: "quarantine",
    version: 1,
    target,
    podUid: pod.uid,
    nodeName: pod.nodeName,
    labelsBefore: pod.labels,
    snapshotHash: canonicalHash(pod.labels),
    removes: labels.removes,
    engine,
    because,
    choices,
    ...objects,
    exclusions: labels.exclusions,
    label: labelPatch(pod, operation.id),
    strip: stripPatch(pod.uid, pod.labels, labels.removes, operation.id),
    settleMs: settings.settleMs,
    leavesServices: servicesOf(pod, facts.services),
    lastReady: lastReadyOf(pod, facts.services, facts.pods).length > 0,
    controller: pod.controller,
    effects: [...servicesDo(given, labels), controllerDoes],
    warnings: [...warningsFor(given), ...given.remarks, ...notes],
    ...said,
    next:
      said.next ?? nextSteps({ ...whatIsLeft(given, labels), target, stage: "plan", engine, residual: said.residual }),
    notCut: [openConnectionsLine(view.detection.openConnections, view.detection.plugin), ownNode],
    enforcement,
    confirmations: labels.exclusions.length > 0 ? 2 : confirmationsFor(pod),
  } satisfies Omit<QuarantinePlan, "hash">;
  return { ...plan, hash: planHash(plan, { controllerDoes, leftOpenBy: leftOpenBy(given, containment) }) };
}

function refuse({ cluster, pod, facts, settings, choices }: QuarantineFacts): Refusal | undefined {
  const inHomeCluster = cluster === settings.clusters.home;
  const typed = `quarantine ${cluster}:${pod.namespace}/${pod.name}${choiceWords({ ...choices, confirm: undefined })}`;
  const guarded = { ...settings, ...facts, pod, inHomeCluster, confirmed: choices.confirm, typed };
  return refuseTarget(guarded) ?? refuseForeignMark(pod);
}

function servicesDo({ pod, facts: { services, pods } }: QuarantineFacts, { detach }: LabelChanges): readonly string[] {
  return detach ? serviceEffects(pod, services, pods) : attachedServices(pod, services);
}

type LabelChanges = Excluded & {
  readonly detach: boolean;
  readonly removes: readonly string[];
  /** The pod's labels while it is quarantined. */
  readonly during: Labels;
};

function labelChanges({ pod, facts, settings, choices, operation }: QuarantineFacts): LabelChanges {
  const policies = facts.policies.filter(({ metadata }) => metadata.name !== quarantinePolicyName(operation.id));
  const detach = choices.detach ?? settings.detach;
  const removes = detach ? keysToRemove(pod.labels, { ...facts, policies }) : [];
  const during = labelsDuring(pod.labels, removes, operation.id);
  const others = choices.changePolicies === true ? excludedFrom(policies, during) : nothingExcluded;
  return { ...others, detach, removes, during };
}

function containmentOf(
  { view, pod }: QuarantineFacts,
  objects: readonly Manifest[],
  { during, changed }: LabelChanges,
): Containment {
  const subject = simulatedPod(view.snapshot, pod);
  return { objects, labels: new Map(subject === undefined ? [] : [[subject, during]]), changed };
}

/** By what else more could be closed. */
function whatIsLeft(
  { view, facts, choices }: QuarantineFacts,
  { during }: LabelChanges,
): Pick<Left, "engines" | "choices" | "changesPolicies"> {
  const changesPolicies = choices.changePolicies !== true && excludedFrom(facts.policies, during).exclusions.length > 0;
  return { engines: view.detection.engines, choices, changesPolicies };
}

type Told = Pick<QuarantinePlan, "residual" | "impact" | "openings" | "next">;

/** What a person reads of the whole cluster: of a plan that is drawn again as it was read. */
function told(given: QuarantineFacts, containment: Containment, openings: readonly Endpoint[]): Told {
  const { around, view } = given;
  if (!("pods" in around)) return { openings, residual: around.residual, ...optional(around) };
  const simulated = simulateContainment(withoutOwn(given, containment), view.detection, containment);
  const residual = residualOf(simulated.after, simulated.subjects, containment.objects);
  return { openings, residual, impact: impactOf(around, simulated) };
}

function optional({ impact, next }: Told): Pick<Told, "impact" | "next"> {
  return { ...(impact === undefined ? {} : { impact }), ...(next === undefined ? {} : { next }) };
}

/**
 * Which policies leave the pod something open, by its own policies alone, whoever is there to use it: the same where only
 * its namespace was read, and soon told.
 */
function leftOpenBy(given: QuarantineFacts, { objects, labels, changed }: Containment): unknown {
  const { namespace } = given.pod;
  const whole = withoutOwn(given, { objects });
  const own: Snapshot = {
    ...whole,
    pods: [...labels.keys()],
    services: whole.services.filter((service) => service.namespace === namespace),
    policies: whole.policies.filter(({ metadata, kind }) => mayBear({ metadata, kind }, namespace)),
  };
  const { after, subjects } = simulateContainment(own, given.view.detection, { objects, labels, changed });
  return residualOf(after, subjects, objects)
    .map(({ policy, sure = true }) => ({ policy, sure }))
    .toSorted((a, b) => (a.policy < b.policy ? -1 : 1));
}

/** A namespaced policy acts on pods of its own namespace only; Calico's sets are named from anywhere. */
function mayBear({ metadata, kind }: Pick<WireObject, "metadata" | "kind">, namespace: string): boolean {
  return metadata.namespace === undefined || metadata.namespace === namespace || kind === "NetworkSet";
}

/** Without what an earlier try of the same operation left. */
function withoutOwn({ view: { snapshot } }: QuarantineFacts, { objects }: Pick<Containment, "objects">): Snapshot {
  const isOwn = isAmong(objects);
  return { ...snapshot, policies: snapshot.policies.filter((policy) => !isOwn(policy)) };
}

function openingsOf(around: QuarantineFacts["around"]): readonly Endpoint[] {
  return "pods" in around ? probeEndpoints(around.pods, around.namespaceLabels) : (around.openings ?? []);
}

/**
 * SHA-256 over the writes and what they change for the workload, with what its controller does and which policies leave
 * something open. Not over resourceVersions, the numbers and names of other pods or anything else that a busy cluster
 * changes by itself: those would void every approval.
 */
function planHash(
  plan: Omit<QuarantinePlan, "hash">,
  changes: { readonly controllerDoes: string; readonly leftOpenBy: unknown },
): string {
  const { effects: _e, warnings: _w, notCut: _c, next: _n, because: _b, residual: _r, impact, label, ...rest } = plan;
  return canonicalHash({
    ...rest,
    ...changes,
    opens: impact?.opens ?? [],
    label: label.filter(({ path }) => path !== "/metadata/resourceVersion"),
  });
}

/** Whose selector the release gives back, for whoever ends it without the operation's record. */
function withChanges(denial: Denial, { exclusions }: LabelChanges): Denial {
  if (exclusions.length === 0) return denial;
  const changed = exclusions.map(({ name }) => name).join(" ");
  return { ...denial, annotations: { ...denial.annotations, [marks.changed]: changed } };
}

/** What is denied of the pod: everything but the configured endpoints and these openings. */
export function denialOf(
  { operation, pod, settings }: Pick<QuarantineFacts, "operation" | "pod" | "settings">,
  openings: readonly Endpoint[],
): Denial {
  return {
    operation: operation.id,
    namespace: pod.namespace,
    subject: { matchLabels: { [marks.quarantine]: operation.id } },
    endpoints: [...settings.endpoints, ...openings],
    ...marksFor(operation, {
      [marks.pod]: `${pod.name} ${pod.uid}`,
      [marks.snapshot]: canonicalJson(pod.labels),
    }),
  };
}

/** A pod that bears our label is quarantined already; the caller looked for that operation and did not find it. */
function refuseForeignMark(pod: Pod): Refusal | undefined {
  const mark = pod.labels[marks.quarantine];
  return mark === undefined
    ? undefined
    : refusal(
        `the pod already bears the quarantine label of operation ${mark}`,
        `Look at /np status ${pod.namespace}; end that quarantine first with /np release ${pod.namespace}/${pod.name}, which gives the kubectl lines where Bulkhead's record of it is lost.`,
      );
}

function warningsFor({ pod, facts, view, engine, emptyEndpoints, cluster }: QuarantineFacts): readonly string[] {
  const { state, because } = stateOf(view.detection, engine);
  return [
    ...(state === "enforced" ? [] : [notKnown(state, cluster, because)]),
    ...view.unread.map(({ what, why }) => `Not read, so that nothing can be claimed of it: ${what} (${why}).`),
    ...emptyEndpoints.map((name) => `Endpoint ${name} of the configuration matches no pod now.`),
    ...(pod.terminating ? ["The pod is being deleted already; it is still enforced until it is gone."] : []),
    ...oldPlan(facts),
  ];
}

function notKnown(enforcement: "not-enforced" | "unknown", cluster: string, because: string): string {
  return enforcement === "unknown"
    ? `Whether cluster ${cluster} enforces this is not known, so nothing will be claimed: ${because}`
    : `Cluster ${cluster} does not enforce this: it will not isolate the pod. ${because}`;
}
