import type { Denial } from "../engines/denial.ts";
import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import { parseAllowanceName } from "../policy/allowance.ts";
import { canonicalHash } from "../policy/canonical.ts";
import type { DenyEngine } from "../policy/engine.ts";
import { groupOf, othersIn, subjectOf } from "../policy/group.ts";
import { overriddenRules, type Refusal } from "../policy/guard.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import { nextSteps } from "../policy/next-steps.ts";
import type { NetworkPolicy, Pod, Workload } from "../policy/objects.ts";
import { openConnectionsLine } from "../policy/open-connections.ts";
import type { Operation } from "../policy/operation.ts";
import type { Choices, ContainPlan, ResidualAllow } from "../policy/plan.ts";
import { type NamespaceTarget, targetReference, type WorkloadTarget } from "../policy/target.ts";
import { compile } from "../simulator/compile.ts";
import type { Snapshot } from "../simulator/snapshot.ts";
import { allowancesOn } from "./allowances-on.ts";
import type { ClusterDns } from "./cluster-dns.ts";
import { type ClusterView } from "./cluster-view.ts";
import { containEffects, laterWarnings, uncoveredWarnings } from "./contain-effects.ts";
import { refuseGroup } from "./contain-guard.ts";
import { type ContainmentObjects, objectsFor, simulateContainment } from "./containment.ts";
import { isAmong, objectsOf } from "./deny-objects.ts";
import { judgedBy, stateOf } from "./detection.ts";
import { impactOf, type SimulatedChange } from "./impact.ts";
import type { ImpactFacts } from "./impact-facts.ts";
import { marksFor } from "./marks-for.ts";
import { ownNode } from "./plan-sections.ts";
import { withPodToCome } from "./pod-to-come.ts";
import { residualOf } from "./residual-words.ts";
import type { Settings } from "./services.ts";
import { oldPlan } from "./unanswered.ts";

/** Everything that the decision looks at. */
export type ContainFacts = {
  readonly operation: Pick<Operation, "id" | "kind" | "principal" | "reason" | "incident">;
  readonly target: WorkloadTarget | NamespaceTarget;
  /** The target where it is one. */
  readonly workload: Workload | undefined;
  /** Of the target's namespace. */
  readonly facts: NamespaceFacts;
  readonly settings: Settings;
  /** The whole cluster, `facts` among it. */
  readonly view: ClusterView;
  readonly engine: DenyEngine;
  /** What a person is to know of the choice of the engine. */
  readonly remarks: readonly string[];
  /** Read for this plan, or what an earlier drawing of it was told. */
  readonly around: ImpactFacts | Pick<ContainPlan, "impact">;
  readonly choices: Choices;
  readonly dns: ClusterDns;
  /** Names of endpoints whose selector matches no pod now. */
  readonly emptyEndpoints: readonly string[];
};

/** The plan of a workload's quarantine or of a lockdown, or the reason why there is none. Pure. */
export function planContain(given: ContainFacts): ContainPlan | Refusal {
  const { target, workload, facts, settings, choices, view, engine } = given;
  const group = groupOf(facts.pods, workload?.selector);
  const no = refuseGroup({ target, group, facts, settings, choices });
  if (no !== undefined) return no;
  const denial = denialOf(given);
  const { notes, ...objects } = objectsFor(engine, denial, view.detection);
  const simulated = simulatedGroup(given, group.covered, objectsOf(objects));
  const { because, state: enforcement } = stateOf(view.detection, engine);
  const { openConnections, plugin } = view.detection;
  const open = denial.endpoints.map(({ name }) => name);
  const residual = residualNow(given, simulated, objects);
  const left = { engines: view.detection.engines, changesPolicies: false };
  const plan = {
    kind: "contain",
    version: 1,
    target,
    uid: workload?.uid,
    choices,
    engine,
    because,
    ...objects,
    settleMs: settings.settleMs,
    pods: group.covered.map(({ name }) => name),
    ends: allowancesOn(group.covered, facts.policies),
    alsoCaught: workload === undefined ? [] : othersIn(group.covered, workload, facts.workloads),
    effects: containEffects(target.namespace, workload, { group, facts, open }),
    warnings: [...uncoveredWarnings(group, facts.policies), ...warningsFor(given), ...given.remarks, ...notes],
    residual,
    next: nextSteps({ ...left, target, stage: "plan", engine, choices, residual }),
    notCut: [openConnectionsLine(openConnections, plugin), ownNode],
    ...impactFor(given.around, simulated),
    ...(choices.override === true
      ? { overrides: overriddenRules(target.namespace, settings, workload === undefined ? 1 : group.covered.length) }
      : {}),
    enforcement,
    confirmations: workload === undefined ? 2 : 1,
  } satisfies Omit<ContainPlan, "hash">;
  return { ...plan, hash: planHash(plan) };
}

/** Without what an earlier try of the same operation left. */
function simulatedGroup({ view }: ContainFacts, pods: readonly Pod[], objects: readonly Manifest[]): SimulatedChange {
  const isOwn = isAmong(objects);
  const policies = view.snapshot.policies.filter((policy) => !isOwn(policy) && !isAllowance(policy));
  const snapshot = { ...view.snapshot, policies };
  const names = new Set(pods.map(({ namespace, name }) => `${namespace}/${name}`));
  const subjects = snapshot.pods.filter(({ namespace, name }) => names.has(`${namespace}/${name}`));
  const labels = new Map(subjects.map((pod) => [pod, pod.labels]));
  return simulateContainment(snapshot, view.detection, { objects, labels, changed: new Map() });
}

/** Those on the contained pods are ended; of others nothing is open to these. */
function isAllowance({ metadata: { name } }: Snapshot["policies"][number]): boolean {
  return parseAllowanceName(name) !== undefined;
}

/** What stays open, of pods to come where none is there. */
function residualNow(
  { target, view }: ContainFacts,
  { after, subjects }: SimulatedChange,
  objects: Pick<ContainmentObjects, "policy" | "denies">,
): readonly ResidualAllow[] {
  const written = objectsOf(objects);
  if (subjects.length > 0) return residualOf(after, subjects, written);
  const judged = withPodToCome(after.snapshot, { target, policy: objects.policy });
  return residualOf(compile(judged.snapshot, judgedBy(view.detection)), judged.subjects, written);
}

function impactFor(around: ContainFacts["around"], simulated: SimulatedChange): Pick<ContainPlan, "impact"> {
  if ("contained" in around) return { impact: impactOf(around, simulated) };
  return around.impact === undefined ? {} : { impact: around.impact };
}

/**
 * SHA-256 over the writes, whom else they catch and which policies leave something open; not over the pods that there
 * are, which a busy cluster changes by itself.
 */
function planHash(plan: Omit<ContainPlan, "hash">): string {
  const { effects: _e, warnings: _w, notCut: _n, because: _b, pods: _p, next: _next, impact, residual, ...rest } = plan;
  return canonicalHash({
    ...rest,
    opens: impact?.opens ?? [],
    residual: residual.map(({ policy, sure = true }) => ({ policy, sure })),
  });
}

type Denied = Pick<ContainFacts, "operation" | "target" | "workload" | "settings" | "dns" | "facts">;

/** What is denied: everything but the configured endpoints, and in a lockdown DNS. */
export function denialOf({ operation, target, workload, settings, dns, facts }: Denied): Denial {
  const opened = workload === undefined && reachedByDns(facts.policies).length === 0 ? dns.endpoints : [];
  return {
    operation: operation.id,
    namespace: target.namespace,
    subject: subjectOf(workload?.selector),
    endpoints: [...settings.endpoints, ...opened],
    ...marksFor(operation, { [marks.target]: targetReference(target) }),
  };
}

/**
 * Workloads in quarantine, whose pods bear no label of ours that a lockdown could leave out: its rule for DNS would open
 * them (invariant 13).
 */
function reachedByDns(policies: readonly NetworkPolicy[]): readonly string[] {
  return policies.flatMap(({ metadata: { labels = {}, annotations = {} } }) => {
    const target = annotations[marks.target];
    return labels[marks.kind] === "quarantine" && target !== undefined ? [target] : [];
  });
}

function warningsFor({ workload, facts, dns, emptyEndpoints, view, engine }: ContainFacts): readonly string[] {
  const reached = workload === undefined ? reachedByDns(facts.policies) : [];
  const dnsWarnings =
    reached.length === 0
      ? dns.warnings
      : [`DNS is cut off too: a rule for it would reach ${reached.join(", ")}, which is in quarantine.`];
  const { covered } = groupOf(facts.pods, workload?.selector);
  return [
    ...(workload === undefined ? [...dnsWarnings, ...laterWarnings(facts.policies, covered, engine)] : []),
    ...emptyEndpoints.map((name) => `Endpoint ${name} matches no pod now.`),
    ...view.unread.map(({ what, why }) => `Not read, and so not in this plan: ${what} (${why}).`),
    ...oldPlan(facts),
  ];
}
