import type { Cluster } from "../kubernetes/cluster.ts";
import { canonicalJson } from "../policy/canonical.ts";
import { labelPatch, stripPatch } from "../policy/detach.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { Pod } from "../policy/objects.ts";
import type { QuarantinePlan } from "../policy/plan.ts";
import type { Principal } from "../policy/principal.ts";
import type { Realised } from "../policy/verdict.ts";
import { changePolicies } from "./change-policies.ts";
import { createObjects, namesOf, objectsOf, ownObjectsOf, removeObjects } from "./deny-objects.ts";
import { detectionOf } from "./detection.ts";
import { type Hold, LeaseLost } from "./hold.ts";
import { mismatchAmong } from "./is-as-written.ts";
import { type ReadBack, readBack } from "./read-back.ts";
import { waitForRealised } from "./realised.ts";
import { releaseOf } from "./releasing.ts";
import type { Services } from "./services.ts";
import { leftBehind, StepFailed } from "./step-failed.ts";
import { tracingOf } from "./tracing.ts";

/** One quarantine on its way into the cluster. */
export type Isolation = {
  readonly services: Services;
  readonly cluster: Cluster;
  readonly operation: string;
  /** Who asked for it. */
  readonly principal: Principal;
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
export async function isolate(isolation: Isolation): Promise<ReadBack> {
  await isolation.hold.check();
  const created: Manifest[] = [];
  try {
    await Promise.all([
      createObjects(isolation, objectsOf(isolation.plan), (object) => void created.push(object)),
      nobodyElseIsSelected(isolation),
    ]);
    await isolation.done("policy written");
    return await cutOff({ ...isolation, created });
  } catch (error) {
    if (error instanceof LeaseLost) await removeOrphans(isolation, created);
    throw error;
  }
}

/** With what this try has created, and was not there before. */
type Denied = Isolation & { readonly created: readonly Manifest[] };

async function cutOff(isolation: Denied): Promise<ReadBack> {
  await addLabel(isolation);
  await isolation.done("pod labelled");
  const first = await inForce(isolation, isolation.plan.settleMs);
  if (first.state === "failed" || first.state === "not-in-time") throw notInForce(isolation, first);
  await isolation.done(first.state === "realised" ? "realised" : "settled");
  await excludeFromOthers(isolation);
  await stripLabels(isolation);
  await isolation.done("labels off");
  // With other labels the pod may be another to the engine, as on Cilium.
  const realised = first.state === "no-status" ? first : await inForce(isolation, 0);
  const checked = await tracingOf(isolation.services).span("verify", {}, () => readBack(isolation, realised));
  await isolation.done("read back");
  return checked;
}

/** Without the other policies that its labels bring it the pod could be open (invariant 6). */
function notInForce({ operation, plan }: Isolation, { words }: Realised): StepFailed {
  return new StepFailed(
    words,
    `${namesOf(ownObjectsOf(plan))} and the quarantine label are in place, and the pod keeps all its other labels until the engine says that it is denied. Try it again to wait once more, or release ${operation}.`,
  );
}

/** Waits for the engine's word; where it has none, so long. */
async function inForce({ services, cluster, plan, operation }: Isolation, settleMs: number): Promise<Realised> {
  const { namespace, pod: name } = plan.target;
  const { nodeName } = plan;
  const nodes = nodeName === undefined ? [] : [nodeName];
  const { plugin } = await detectionOf(services, cluster.name, "cache", nodes);
  const pods = [{ namespace, name, nodeName }];
  const { realiseMs } = services.settings;
  const objects = objectsOf(plan);
  return waitForRealised({ services, cluster, objects, plugin, pods, quarantine: operation, settleMs, realiseMs });
}

/** A replica that slept before a POST and over a release has made objects that nobody would ever end. */
export async function removeOrphans(isolation: Omit<Isolation, "plan">, created: readonly Manifest[]): Promise<void> {
  const { services, operation } = isolation;
  try {
    const stored = created.length === 0 ? undefined : await services.operations.get(operation);
    if (stored === undefined) return;
    const ended = stored.state === "done" || (await releaseOf(services, stored)) !== undefined;
    // The lease is another's: this is no step of the operation any more.
    if (ended) await removeObjects({ ...isolation, hold: { check: () => Promise.resolve() } }, created);
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
      `${namesOf(ownObjectsOf(plan))} may be there.`,
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
  const { operation, plan, created } = isolation;
  const objects = ownObjectsOf(plan);
  const lacks = `The pod lacks ${missing.join(", ")}: where an earlier try took that off, release ${operation} to put it back.`;
  if (missing.length > 0 && created.length === 0) throw new StepFailed(why, `${lacks} ${namesOf(objects)} stays.`);
  const left = await removeObjects(isolation, objects);
  if (left.length > 0) throw new StepFailed(why, `${namesOf(left)} was left; it selects no pod.`);
  const nothing = missing.length > 0 ? lacks : "Nothing is changed.";
  throw new StepFailed(why, `What was written was taken back. ${nothing}`);
}

/** Once the deny holds for the pod: what others' policies let through is all that they lose. */
async function excludeFromOthers(isolation: Isolation): Promise<void> {
  const { exclusions = [] } = isolation.plan;
  if (exclusions.length === 0) return;
  await denyIsThere(isolation);
  await changePolicies(isolation, exclusions);
  await isolation.done("policies of others changed");
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

/** Without them, or where somebody altered one, the pod would lose its labels and be open. */
async function denyIsThere({ cluster, plan }: Isolation): Promise<void> {
  const objects = ownObjectsOf(plan);
  const mismatch = mismatchAmong(objects, await Promise.all(objects.map((object) => cluster.getObject(object))));
  if (mismatch === undefined) return;
  throw new StepFailed(
    mismatch,
    "The pod bears the quarantine label and has all its other labels: it may be open. Try it again, or release it.",
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
