import type { Denial } from "../engines/denial.ts";
import { denyByNetworkPolicy } from "../engines/networkpolicy.ts";
import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import { canonicalHash, canonicalJson } from "../policy/canonical.ts";
import { keysToRemove, labelPatch, labelsDuring, stripPatch } from "../policy/detach.ts";
import {
  attachedController,
  attachedServices,
  confirmationsFor,
  controllerEffect,
  isLastReady,
  serviceEffects,
  servicesOf,
} from "../policy/effects.ts";
import { type Refusal, refusal, refuseTarget } from "../policy/guard.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { Choices, Enforcement, QuarantinePlan } from "../policy/plan.ts";
import { residualAllows } from "../policy/residual.ts";
import { deniesMark } from "./denies-mark.ts";
import { excludedFrom } from "./exclusions.ts";
import { marksFor } from "./marks-for.ts";
import type { Settings } from "./services.ts";
import { oldPlan } from "./unanswered.ts";

/** Everything that the decision looks at. */
export type QuarantineFacts = {
  readonly operation: Pick<Operation, "id" | "kind" | "principal" | "reason" | "incident">;
  readonly cluster: string;
  readonly pod: Pod;
  readonly facts: NamespaceFacts;
  readonly settings: Settings;
  readonly enforcement: Enforcement;
  readonly choices: Choices;
  /** Names of configured endpoints whose selector matches no pod now. */
  readonly emptyEndpoints: readonly string[];
};

/** The plan of a quarantine, or the reason why there is none. Pure. */
export function planQuarantine(given: QuarantineFacts): QuarantinePlan | Refusal {
  const { pod, facts, settings, operation } = given;
  const inHomeCluster = given.cluster === settings.clusters.home;
  const no = refuseTarget({ ...settings, pod, inHomeCluster, services: facts.services }) ?? refuseForeignMark(pod);
  if (no !== undefined) return no;
  const policies = facts.policies.filter((policy) => policy.metadata.labels?.[marks.operation] !== operation.id);
  const detach = given.choices.detach ?? settings.detach;
  const removes = detach ? keysToRemove(pod.labels, { ...facts, policies }) : [];
  const during = labelsDuring(pod.labels, removes, operation.id);
  const others = given.choices.changePolicies === true ? excludedFrom(policies, during) : { exclusions: [], policies };
  const controllerDoes = detach ? controllerEffect(pod, facts.workloads) : attachedController(pod);
  const plan = {
    kind: "quarantine",
    version: 1,
    target: { cluster: given.cluster, namespace: pod.namespace, pod: pod.name },
    podUid: pod.uid,
    labelsBefore: pod.labels,
    snapshotHash: canonicalHash(pod.labels),
    removes,
    engine: "networkpolicy",
    choices: given.choices,
    ...objectsFor(denialOf(given)),
    exclusions: others.exclusions,
    label: labelPatch(pod, operation.id),
    strip: stripPatch(pod.uid, pod.labels, removes, operation.id),
    settleMs: settings.settleMs,
    leavesServices: servicesOf(pod, facts.services),
    lastReady: isLastReady(pod, facts.services, facts.pods),
    controller: pod.controller,
    effects: [
      ...(detach ? serviceEffects(pod, facts.services, facts.pods) : attachedServices(pod, facts.services)),
      controllerDoes,
    ],
    warnings: warningsFor(given),
    residual: residualAllows(others.policies, during),
    enforcement: given.enforcement,
    confirmations: others.exclusions.length > 0 ? 2 : confirmationsFor(pod),
  } satisfies Omit<QuarantinePlan, "hash">;
  return { ...plan, hash: planHash(plan, controllerDoes) };
}

/**
 * SHA-256 over the writes and what they change for the workload, with what its controller does. Not over
 * resourceVersions, the numbers of other pods or anything else that a busy cluster changes by itself: those would void
 * every approval.
 */
function planHash(plan: Omit<QuarantinePlan, "hash">, controllerDoes: string): string {
  const { effects: _effects, warnings: _warnings, label, ...rest } = plan;
  return canonicalHash({
    ...rest,
    controllerDoes,
    label: label.filter(({ path }) => path !== "/metadata/resourceVersion"),
  });
}

/** The NetworkPolicy names the others, so that whoever finds it finds them. */
function objectsFor(denial: Denial): Pick<QuarantinePlan, "policy" | "denies"> {
  const denies: readonly Manifest[] = [];
  const annotations = { ...denial.annotations, ...deniesMark(denies) };
  return { policy: denyByNetworkPolicy({ ...denial, annotations }), denies };
}

function denialOf({ operation, pod, settings }: QuarantineFacts): Denial {
  return {
    operation: operation.id,
    namespace: pod.namespace,
    subject: { matchLabels: { [marks.quarantine]: operation.id } },
    endpoints: settings.endpoints,
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

function warningsFor({ pod, facts, emptyEndpoints, enforcement, cluster }: QuarantineFacts): readonly string[] {
  return [
    ...(enforcement === "enforced" ? [] : [notKnown(enforcement, cluster)]),
    ...emptyEndpoints.map((name) => `Endpoint ${name} of the configuration matches no pod now.`),
    ...(pod.terminating ? ["The pod is being deleted already; it is still enforced until it is gone."] : []),
    ...oldPlan(facts),
  ];
}

function notKnown(enforcement: "not-enforced" | "unknown", cluster: string): string {
  return enforcement === "unknown"
    ? `Whether cluster ${cluster} enforces NetworkPolicy is not known (enforcement in the configuration).`
    : `Cluster ${cluster} does not enforce NetworkPolicy: this will not isolate the pod.`;
}
