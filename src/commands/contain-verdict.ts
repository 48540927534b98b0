import { nextSteps } from "../policy/next-steps.ts";
import type { Pod } from "../policy/objects.ts";
import type { LeftOpen } from "../policy/operation.ts";
import type { ContainPlan } from "../policy/plan.ts";
import { type Realised, type Verdict, verdict } from "../policy/verdict.ts";
import { compile } from "../simulator/compile.ts";
import type { ClusterView } from "./cluster-view.ts";
import { isAmong, objectsOf } from "./deny-objects.ts";
import { judgedBy, stateOf } from "./detection.ts";
import { leavesOf } from "./drift-left.ts";
import { withPodToCome } from "./pod-to-come.ts";
import { residualOf } from "./residual-words.ts";

export type GroupFindings = {
  /** What does not read back as planned; undefined where all does. */
  readonly mismatch: string | undefined;
  /** The cluster as it is now, with what was written. */
  readonly view: ClusterView;
  readonly realised: Realised;
  /** All that are cut off now. */
  readonly pods: readonly Pod[];
};

/** With what can be done about what stays open, in sentences. */
export type GroupVerdict = Verdict & { readonly next: readonly string[]; readonly leaves: readonly LeftOpen[] };

/** The verdict on pods that are cut off together. What may be done about open connections is told of the first of them. */
export function verdictOf(plan: ContainPlan, { mismatch, view, realised, pods }: GroupFindings): GroupVerdict {
  const { namespace } = plan.target;
  const { detection, snapshot } = view;
  const names = new Set(pods.map(({ name }) => name));
  const there = snapshot.pods.filter((pod) => pod.namespace === namespace && names.has(pod.name ?? ""));
  const judged = there.length > 0 ? { snapshot, subjects: there } : withPodToCome(snapshot, plan);
  const ours = snapshot.policies.filter(isAmong(objectsOf(plan)));
  const [first] = pods;
  const found = verdict({
    mismatch,
    residual: residualOf(compile(judged.snapshot, judgedBy(detection)), judged.subjects, ours),
    enforcement: stateOf(detection, plan.engine).state,
    unread: view.unread.map(({ what }) => what),
    realised,
    openConnections: detection.openConnections,
    plugin: detection.plugin,
    pod: { namespace, pod: first?.name ?? "", nodeName: first?.nodeName, podIPs: first?.podIPs ?? [] },
  });
  const { target, engine, choices } = plan;
  const left = { target, engine, choices, stage: "in-force", changesPolicies: false } as const;
  const next = nextSteps({ ...left, engines: detection.engines, residual: found.residual });
  const leaves = leavesOf(snapshot, plan, there);
  if (first === undefined || found.steps.length === 0) return { ...found, next, leaves, steps: [] };
  const others = `What follows is for pod ${first.name}; the same goes for each of the other ${pods.length - 1}.`;
  return { ...found, next, leaves, steps: pods.length === 1 ? found.steps : [others, ...found.steps] };
}
