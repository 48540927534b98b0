import { type Refusal, refusal, refuseTarget } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import { choiceWords } from "../policy/next-steps.ts";
import type { Pod } from "../policy/objects.ts";
import { stateOf } from "./detection.ts";
import type { QuarantineFacts } from "./quarantine-plan.ts";
import { oldPlan } from "./unanswered.ts";

/** The reason why this pod may not be quarantined; undefined where there is none. */
export function refuseQuarantine({ cluster, pod, facts, settings, choices }: QuarantineFacts): Refusal | undefined {
  const inHomeCluster = cluster === settings.clusters.home;
  const typed = `quarantine ${cluster}:${pod.namespace}/${pod.name}${choiceWords({ ...choices, confirm: undefined })}`;
  const guarded = {
    ...settings,
    ...facts,
    pod,
    inHomeCluster,
    confirmed: choices.confirm,
    override: choices.override,
    typed,
  };
  return refuseTarget(guarded) ?? refuseForeignMark(pod);
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

/** What a person has to know before they confirm, beside what changes. */
export function warningsFor({ pod, facts, view, engine, emptyEndpoints, cluster }: QuarantineFacts): readonly string[] {
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
