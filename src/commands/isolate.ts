import type { Cluster } from "../kubernetes/cluster.ts";
import { canonicalJson } from "../policy/canonical.ts";
import { labelPatch, stripPatch } from "../policy/detach.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy, Pod } from "../policy/objects.ts";
import type { QuarantinePlan } from "../policy/plan.ts";
import type { Verdict } from "../policy/verdict.ts";
import { type Hold, LeaseLost } from "./hold.ts";
import { readBack } from "./read-back.ts";
import { releaseOf } from "./releasing.ts";
import type { Services } from "./services.ts";
import { leftBehind, StepFailed } from "./step-failed.ts";

/** One quarantine on its way into the cluster. */
export type Isolation = {
  readonly services: Pick<Services, "wait" | "operations" | "meter">;
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
  const [created] = await Promise.all([createDeny(isolation), nobodyElseIsSelected(isolation)]);
  await isolation.done("policy written");
  try {
    return await cutOff({ ...isolation, created });
  } catch (error) {
    if (error instanceof LeaseLost && created !== undefined) await removeOrphan(isolation, created);
    throw error;
  }
}

/** With the policy that this try has created; undefined where it was there before. */
type Denied = Isolation & { readonly created: NetworkPolicy | undefined };

async function cutOff(isolation: Denied): Promise<Verdict & { readonly pod: Pod }> {
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
async function createDeny({ cluster, operation, plan }: Isolation): Promise<NetworkPolicy | undefined> {
  const { kind, object } = await cluster.createPolicy(plan.policy);
  if (kind === "created") return object;
  if (object.metadata.labels?.[marks.operation] === operation) return undefined;
  throw new StepFailed(
    `a NetworkPolicy named ${plan.policy.metadata.name} is there already and is not Bulkhead's`,
    "Nothing was written.",
  );
}

/** A replica that slept before the POST and over a release has made a policy that nobody would ever end. */
async function removeOrphan({ services, cluster, operation }: Isolation, created: NetworkPolicy): Promise<void> {
  const { namespace, name, uid, resourceVersion } = created.metadata;
  if (uid === undefined || resourceVersion === undefined) return;
  try {
    const stored = await services.operations.get(operation);
    if (stored === undefined) return;
    const ended = stored.state === "done" || (await releaseOf(services, stored)) !== undefined;
    if (ended) await cluster.deletePolicy(namespace, name, { uid, resourceVersion });
  } catch (error) {
    services.meter({ kind: "error", where: "remove orphan", message: String(error) });
  }
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
async function addLabel(isolation: Denied): Promise<void> {
  const { cluster, plan, hold } = isolation;
  await hold.check();
  const { kind } = await cluster.patchPod(plan.target.namespace, plan.target.pod, plan.label);
  if (kind !== "patched") await addLabelToWhatIsThere(isolation, 3);
}

/** The pod's status changes by itself, and with it what the patch relies on: read again and decide again. */
async function addLabelToWhatIsThere(isolation: Denied, tries: number): Promise<void> {
  const { cluster, operation, plan, hold } = isolation;
  const { namespace, pod: name } = plan.target;
  const pod = await cluster.getPod(namespace, name);
  if (pod === undefined || pod.uid !== plan.podUid) return withdraw(isolation, "the pod is gone");
  const { [marks.quarantine]: mark, ...others } = pod.labels;
  if (mark === operation) return;
  if (mark !== undefined || canonicalJson(others) !== canonicalJson(plan.labelsBefore)) {
    return withdraw(
      isolation,
      changed(pod),
      plan.removes.filter((key) => !Object.hasOwn(pod.labels, key)),
    );
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

/**
 * Nothing is selected yet, so taking our object back leaves everything as it was: unless an earlier try took labels off
 * and somebody took ours off since. `missing` are those that the pod lacks; release puts them back.
 */
async function withdraw(isolation: Denied, why: string, missing: readonly string[] = []): Promise<never> {
  const { cluster, operation, plan, created, hold } = isolation;
  const { namespace, name } = plan.policy.metadata;
  const lacks = `The pod lacks ${missing.join(", ")}: where an earlier try took that off, release ${operation} to put it back.`;
  if (missing.length > 0 && created === undefined) throw new StepFailed(why, `${lacks} NetworkPolicy ${name} stays.`);
  const { uid, resourceVersion, labels } = (await cluster.getPolicy(namespace, name))?.metadata ?? {};
  if (uid !== undefined && resourceVersion !== undefined && labels?.[marks.operation] === operation) {
    await hold.check();
    const { kind } = await cluster.deletePolicy(namespace, name, { uid, resourceVersion });
    if (kind === "conflict") throw new StepFailed(why, `NetworkPolicy ${name} was left; it selects no pod.`);
  }
  const nothing = missing.length > 0 ? lacks : "Nothing is changed.";
  throw new StepFailed(why, `What was written was taken back. ${nothing}`);
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
