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
import { overriddenRules, type Refusal } from "../policy/guard.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks, quarantinePolicyName } from "../policy/marks.ts";
import { type Left, nextSteps } from "../policy/next-steps.ts";
import type { Labels, Pod } from "../policy/objects.ts";
import { openConnectionsLine } from "../policy/open-connections.ts";
import type { Operation } from "../policy/operation.ts";
import type { Choices, QuarantinePlan } from "../policy/plan.ts";
import { type ClusterView, simulatedPod } from "./cluster-view.ts";
import { type Containment, objectsFor, simulateContainment } from "./containment.ts";
import { objectsOf } from "./deny-objects.ts";
import { stateOf } from "./detection.ts";
import { type Excluded, excludedFrom, nothingExcluded } from "./exclusions.ts";
import { impactOf } from "./impact.ts";
import type { ImpactFacts } from "./impact-facts.ts";
import { probeEndpoints } from "./impact-probes.ts";
import { leftOpenBy, withoutOwn } from "./left-open.ts";
import { marksFor } from "./marks-for.ts";
import { ownNode } from "./plan-sections.ts";
import { refuseQuarantine, warningsFor } from "./quarantine-guard.ts";
import { residualOf } from "./residual-words.ts";
import type { Settings } from "./services.ts";

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
  const { pod, facts, settings, engine, choices, view } = given;
  const no = refuseQuarantine(given);
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
    ...podPart(given, labels),
    engine,
    because,
    choices,
    ...objects,
    exclusions: labels.exclusions,
    settleMs: settings.settleMs,
    leavesServices: servicesOf(pod, facts.services),
    lastReady: lastReadyOf(pod, facts.services, facts.pods).length > 0,
    effects: [...servicesDo(given, labels), controllerDoes],
    warnings: [...warningsFor(given), ...given.remarks, ...notes],
    ...said,
    next:
      said.next ?? nextSteps({ ...whatIsLeft(given, labels), target, stage: "plan", engine, residual: said.residual }),
    notCut: [openConnectionsLine(view.detection.openConnections, view.detection.plugin), ownNode],
    ...(choices.override === true ? { overrides: overriddenRules(pod.namespace, settings) } : {}),
    enforcement,
    confirmations: labels.exclusions.length > 0 ? 2 : confirmationsFor(pod),
  } satisfies Omit<QuarantinePlan, "hash">;
  return {
    ...plan,
    hash: planHash(plan, { controllerDoes, leftOpenBy: leftOpenBy(view, pod.namespace, containment) }),
  };
}

/** What of the plan is the pod's alone: what it is, what is written on it, and what a release restores. */
function podPart({ pod, operation }: QuarantineFacts, { removes }: LabelChanges) {
  return {
    podUid: pod.uid,
    nodeName: pod.nodeName,
    controller: pod.controller,
    labelsBefore: pod.labels,
    snapshotHash: canonicalHash(pod.labels),
    removes,
    label: labelPatch(pod, operation.id),
    strip: stripPatch(pod.uid, pod.labels, removes, operation.id),
  };
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
  const simulated = simulateContainment(withoutOwn(view, containment), view.detection, containment);
  const residual = residualOf(simulated.after, simulated.subjects, containment.objects);
  return { openings, residual, impact: impactOf(around, simulated) };
}

function optional({ impact, next }: Told): Pick<Told, "impact" | "next"> {
  return { ...(impact === undefined ? {} : { impact }), ...(next === undefined ? {} : { next }) };
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
