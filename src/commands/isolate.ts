import type { Cluster } from "../kubernetes/cluster.ts";
import { canonicalJson } from "../policy/canonical.ts";
import { labelPatch, labelsDuring, stripPatch } from "../policy/detach.ts";
import { marks } from "../policy/marks.ts";
import type { Labels, NetworkPolicy, Pod } from "../policy/objects.ts";
import type { QuarantinePlan } from "../policy/plan.ts";
import { residualAllows } from "../policy/residual.ts";
import { type Verdict, verdict } from "../policy/verdict.ts";
import type { Hold } from "./hold.ts";
import type { Services } from "./services.ts";

/** Thrown by a step that may not go on; `left` says what of ours is in the cluster then. */
export class StepFailed extends Error {
  readonly left: string;
  constructor(message: string, left: string) {
    super(message);
    this.name = "StepFailed";
    this.left = left;
  }
}

/** One quarantine on its way into the cluster. */
export type Isolation = {
  readonly services: Pick<Services, "wait">;
  readonly cluster: Cluster;
  readonly operation: string;
  readonly plan: QuarantinePlan;
  readonly hold: Hold;
  /** Called after each step, for the times on the card and the metric. */
  done(step: string): Promise<void>;
};

/**
 * Isolates the pod in the order that leaves no open moment (invariant 6): the deny object, then the label that it
 * selects, then a settle time, then the other labels off, then a read-back. Every step can be repeated after a crash:
 * each looks at what is there and does only what is missing.
 */
export async function isolate(isolation: Isolation): Promise<Verdict & { readonly pod: Pod }> {
  await isolation.hold.check();
  await Promise.all([createDeny(isolation), nobodyElseIsSelected(isolation)]);
  await isolation.done("policy written");
  await addLabel(isolation);
  await isolation.done("pod labelled");
  await isolation.services.wait(isolation.plan.settleMs);
  await isolation.done("settled");
  await stripLabels(isolation);
  await isolation.done("labels off");
  const checked = await readBack(isolation);
  await isolation.done("read back");
  return checked;
}

/** POST; an object of that name which is not this operation's is somebody else's, and is left alone. */
async function createDeny({ cluster, operation, plan }: Isolation): Promise<void> {
  const { kind, object } = await cluster.createPolicy(plan.policy);
  if (kind === "created" || object.metadata.labels?.[marks.operation] === operation) return;
  throw new StepFailed(
    `a NetworkPolicy named ${plan.policy.metadata.name} is there already and is not Bulkhead's`,
    "Nothing was written.",
  );
}

/** Our policy must never select more than the one pod: whoever bears the label must be that pod. */
async function nobodyElseIsSelected({ cluster, operation, plan }: Isolation): Promise<void> {
  const bearers = await cluster.listPods(plan.target.namespace, `${marks.quarantine}=${operation}`);
  const other = bearers.find(({ uid }) => uid !== plan.podUid);
  if (other !== undefined) {
    throw new StepFailed(
      `pod ${other.name} bears this operation's label too`,
      `NetworkPolicy ${plan.policy.metadata.name} may be there.`,
    );
  }
}

/** The planned patch tests all that it relies on: only where it does not apply is the pod read and judged. */
async function addLabel(isolation: Isolation): Promise<void> {
  const { cluster, plan, hold } = isolation;
  await hold.check();
  const { kind } = await cluster.patchPod(plan.target.namespace, plan.target.pod, plan.label);
  if (kind !== "patched") await addLabelToWhatIsThere(isolation, 3);
}

/** The pod's status changes by itself, and with it what the patch relies on: read again and decide again. */
async function addLabelToWhatIsThere(isolation: Isolation, tries: number): Promise<void> {
  const { cluster, operation, plan, hold } = isolation;
  const { namespace, pod: name } = plan.target;
  const pod = await cluster.getPod(namespace, name);
  if (pod === undefined || pod.uid !== plan.podUid) return withdraw(isolation, "the pod is gone");
  const { [marks.quarantine]: mark, ...others } = pod.labels;
  if (mark === operation) return;
  if (mark !== undefined || canonicalJson(others) !== canonicalJson(plan.labelsBefore)) {
    return withdraw(isolation, changed(pod));
  }
  await hold.check();
  const { kind } = await cluster.patchPod(namespace, name, labelPatch(pod, operation));
  if (kind === "patched") return;
  if (kind === "gone") return withdraw(isolation, "the pod is gone");
  if (tries <= 1) return withdraw(isolation, "the pod kept changing");
  return addLabelToWhatIsThere(isolation, tries - 1);
}

function changed(pod: Pod): string {
  const other = pod.labels[marks.quarantine];
  return other === undefined
    ? "the pod's labels changed since the plan"
    : `the pod was quarantined by ${other} meanwhile`;
}

/** Nothing is selected yet, so taking our object back leaves everything as it was. */
async function withdraw({ cluster, plan }: Isolation, why: string): Promise<never> {
  const { namespace, name } = plan.policy.metadata;
  const { uid, resourceVersion } = (await cluster.getPolicy(namespace, name))?.metadata ?? {};
  if (uid !== undefined && resourceVersion !== undefined) {
    const { kind } = await cluster.deletePolicy(namespace, name, { uid, resourceVersion });
    if (kind === "conflict") throw new StepFailed(why, `NetworkPolicy ${name} was left; it selects no pod.`);
  }
  throw new StepFailed(why, "What was written was taken back; nothing is changed.");
}

/** As for the label: the planned patch first. */
async function stripLabels(isolation: Isolation): Promise<void> {
  const { cluster, plan, hold } = isolation;
  if (plan.removes.length === 0) return;
  await denyIsThere(isolation);
  await hold.check();
  const { kind } = await cluster.patchPod(plan.target.namespace, plan.target.pod, plan.strip);
  if (kind !== "patched") await stripWhatIsLeft(isolation, 3);
}

/** Without it the pod would lose its labels and be open. */
async function denyIsThere({ cluster, operation, plan }: Isolation): Promise<void> {
  const { namespace, name } = plan.policy.metadata;
  const policy = await cluster.getPolicy(namespace, name);
  if (policy?.metadata.labels?.[marks.operation] === operation) return;
  throw new StepFailed(
    `NetworkPolicy ${name} is gone again`,
    "The pod bears the quarantine label and has all its other labels: nothing cuts it off. Try it again, or release it.",
  );
}

/** Others may relabel the pod meanwhile: read again and decide again, a few times. */
async function stripWhatIsLeft(isolation: Isolation, tries: number): Promise<void> {
  const { cluster, operation, plan, hold } = isolation;
  const { namespace, pod: name } = plan.target;
  const pod = await cluster.getPod(namespace, name);
  if (pod === undefined || pod.uid !== plan.podUid) throw new StepFailed("the pod is gone", leftBehind(plan));
  const removes = plan.removes.filter((key) => Object.hasOwn(pod.labels, key));
  if (removes.length === 0) return;
  const { [marks.quarantine]: mark, ...others } = pod.labels;
  if (mark !== operation) throw new StepFailed("somebody took the quarantine label off", leftBehind(plan));
  await denyIsThere(isolation);
  await hold.check();
  const { kind } = await cluster.patchPod(namespace, name, stripPatch(pod.uid, others, removes, operation));
  if (kind === "patched") return;
  if (kind === "gone" || tries <= 1) throw new StepFailed("the pod's labels kept changing", leftBehind(plan));
  return stripWhatIsLeft(isolation, tries - 1);
}

function leftBehind({ policy }: QuarantinePlan): string {
  return `NetworkPolicy ${policy.metadata.name} is in force for a pod with its label; release this operation to end that.`;
}

/** Looks at the cluster, not at what was sent: labels, policy, and what the union of policies still lets through. */
async function readBack({ cluster, operation, plan }: Isolation): Promise<Verdict & { readonly pod: Pod }> {
  const { namespace } = plan.target;
  const [pods, policies] = await Promise.all([cluster.listPods(namespace, ""), cluster.listPolicies("", namespace)]);
  const pod = pods.find(({ uid }) => uid === plan.podUid);
  const policy = policies.find(({ metadata }) => metadata.name === plan.policy.metadata.name);
  const bearers = pods.filter(({ labels }) => labels[marks.quarantine] === operation);
  if (pod === undefined) throw new StepFailed("the pod is gone", leftBehind(plan));
  const others = policies.filter(({ metadata }) => metadata.name !== plan.policy.metadata.name);
  const residual = residualAllows(others, pod.labels);
  const mismatch =
    mismatchOf(plan, pod.labels, operation) ??
    policyMismatch(plan, policy) ??
    (bearers.length > 1 ? "another pod bears the label too" : undefined);
  return { ...verdict({ mismatch, residual, enforcement: plan.enforcement, cluster: cluster.name }), pod };
}

function mismatchOf(plan: QuarantinePlan, labels: Labels, operation: string): string | undefined {
  const expected = labelsDuring(labels, plan.removes, operation);
  return canonicalJson(expected) === canonicalJson(labels)
    ? undefined
    : "labels that were taken off are back on the pod";
}

function policyMismatch(plan: QuarantinePlan, policy: NetworkPolicy | undefined): string | undefined {
  if (policy === undefined) return "the policy is gone again";
  return canonicalJson(policy.spec) === canonicalJson(plan.policy.spec)
    ? undefined
    : "the policy is not as it was written";
}
