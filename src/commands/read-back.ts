import { canonicalJson } from "../policy/canonical.ts";
import { labelsDuring } from "../policy/detach.ts";
import { marks } from "../policy/marks.ts";
import { nextSteps } from "../policy/next-steps.ts";
import type { Labels, Pod } from "../policy/objects.ts";
import type { LeftOpen } from "../policy/operation.ts";
import type { QuarantinePlan, ResidualAllow } from "../policy/plan.ts";
import { type Realised, type Verdict, verdict } from "../policy/verdict.ts";
import { compile } from "../simulator/compile.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";
import { type ClusterView, readView, simulatedPod } from "./cluster-view.ts";
import { isAmong, objectsOf, ownObjectsOf } from "./deny-objects.ts";
import { judgedBy, stateOf } from "./detection.ts";
import { leavesOf } from "./drift-left.ts";
import { excludedFrom } from "./exclusions.ts";
import { mismatchAmong } from "./is-as-written.ts";
import type { Isolation } from "./isolate.ts";
import { residualOf } from "./residual-words.ts";
import { leftBehind, StepFailed } from "./step-failed.ts";

/** What the cluster holds once the writes are done, and what may be claimed of it. */
export type ReadBack = Verdict & {
  readonly pod: Pod;
  /** What can be done about what stays open, in sentences. */
  readonly next: readonly string[];
  readonly leaves: readonly LeftOpen[];
};

/** Looks at the cluster, not at what was sent: labels, objects, and what all policies together still let through. */
export async function readBack(isolation: Isolation, realised: Realised): Promise<ReadBack> {
  const { services, cluster, operation, plan } = isolation;
  const { namespace } = plan.target;
  const [known, pods, policies, objects] = await Promise.all([
    cluster.facts(namespace, "cache"),
    cluster.listPods(namespace, ""),
    cluster.listPolicies("", namespace),
    Promise.all(ownObjectsOf(plan).map((object) => cluster.getObject(object))),
  ]);
  const pod = pods.find(({ uid }) => uid === plan.podUid);
  if (pod === undefined) throw new StepFailed("the pod is gone", leftBehind(plan));
  const { nodeName, podIPs } = pod;
  const facts = { ...known, pods, policies };
  const nodes = nodeName === undefined ? [] : [nodeName];
  const view = await readView(services, cluster.name, { namespace, facts }, { nodes, principal: isolation.principal });
  const bearers = pods.filter(({ labels }) => labels[marks.quarantine] === operation);
  const mismatch =
    mismatchOf(plan, pod.labels, operation) ??
    mismatchAmong(ownObjectsOf(plan), objects) ??
    (bearers.length > 1 ? "another pod bears the label too" : undefined);
  const { detection } = view;
  const subject = simulatedPod(view.snapshot, pod);
  if (subject === undefined) throw new StepFailed("the pod has finished meanwhile", leftBehind(plan));
  const residual = residualNow(view, subject, plan);
  const found = verdict({
    mismatch,
    residual,
    enforcement: stateOf(detection, plan.engine ?? "networkpolicy").state,
    unread: view.unread.map(({ what }) => what),
    realised,
    openConnections: detection.openConnections,
    plugin: detection.plugin,
    pod: { namespace, pod: pod.name, nodeName, podIPs },
  });
  const engine = plan.engine ?? "networkpolicy";
  const { exclusions } = excludedFrom(policies, pod.labels);
  const { target, choices } = plan;
  const left = { target, choices, stage: "in-force", engine, engines: detection.engines, residual } as const;
  const next = nextSteps({ ...left, changesPolicies: exclusions.length > 0 });
  return { ...found, pod, next, leaves: leavesOf(view.snapshot, plan, [subject]) };
}

function mismatchOf(plan: QuarantinePlan, labels: Labels, operation: string): string | undefined {
  const expected = labelsDuring(labels, plan.removes, operation);
  return canonicalJson(expected) === canonicalJson(labels)
    ? undefined
    : "labels that were taken off are back on the pod";
}

/** By the objects as they are stored. */
function residualNow(
  { snapshot, detection }: ClusterView,
  subject: SimulatedPod,
  plan: QuarantinePlan,
): readonly ResidualAllow[] {
  const simulator = compile(snapshot, judgedBy(detection));
  return residualOf(simulator, [subject], snapshot.policies.filter(isAmong(objectsOf(plan))));
}
