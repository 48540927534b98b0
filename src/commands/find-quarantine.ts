import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { Pod } from "../policy/objects.ts";
import { isContaining, type Operation } from "../policy/operation.ts";
import type { ContainPlan, QuarantinePlan } from "../policy/plan.ts";
import { type PodTarget, type Target, targetReference } from "../policy/target.ts";
import { unrecorded } from "./by-hand.ts";
import { inCluster } from "./clusters.ts";
import type { Command } from "./command.ts";
import { seenStartingWith } from "./find-operation.ts";
import { findPod } from "./find-pod.ts";
import { seenNamespaces } from "./sees.ts";
import { type Context, clusterOf, type Services } from "./services.ts";

/** A quarantine of a pod, with its plan. */
export type Quarantine = Operation & { readonly plan: QuarantinePlan };

/** What a release can lift. */
export type Contained = Operation & { readonly plan: QuarantinePlan | ContainPlan };

/** What a release names: an operation or the beginning of its id, a pod or the beginning of its name, a workload, a namespace. */
type Meant = Extract<Command, { kind: "release" }>["what"];

/**
 * The quarantine that is meant, by id, by the beginning of one, or by its pod, among those that the person sees: any
 * other is not there, and does not make a beginning ambiguous either.
 */
export async function askedQuarantine(context: Context, what: Meant): Promise<Contained | Refusal> {
  const { services } = context;
  if (!("operation" in what)) {
    if (what.cluster === undefined) throw new Error("nobody said which cluster is meant");
    const { cluster } = what;
    return what.pod === undefined
      ? containmentOf(context, { ...what, cluster })
      : quarantineOfPod(context, { ...what, cluster });
  }
  const [operation, ...more] = await seenStartingWith(context, what.operation);
  if (more.length > 0) return refusal(`several operations begin with ${what.operation}`, "Type more of the id.");
  return operation === undefined ? unknownOperation(what.operation) : liftable(operation, services.now());
}

/** The quarantine of that id, for what was authorised already. */
export async function findQuarantine(
  services: Services,
  { operation: id }: { readonly operation: string },
): Promise<Contained | Refusal> {
  const operation = await services.operations.get(id);
  return operation === undefined ? unknownOperation(id) : liftable(operation, services.now());
}

/** Whether askedQuarantine would find one or several there. */
export async function hasQuarantine(services: Services, live: readonly Operation[], target: Target): Promise<boolean> {
  const { pod } = target;
  if (pod === undefined) return containmentsOf(live, target).length > 0;
  if (quarantinesOf(live, target).length > 0) return true;
  const { cluster } = clusterOf(services, target.cluster);
  const marked = await cluster.listPods(target.namespace, marks.quarantine);
  return marked.some(({ name }) => name.startsWith(pod));
}

function unknownOperation(id: string): Refusal {
  return unrecorded(refusal(`there is no operation ${id}`, "Look at /np status."), { operation: id });
}

/** By the pod's own label where it is there, else by the operations that are live: the pod may be gone. */
async function quarantineOfPod(context: Context, target: PodTarget): Promise<Contained | Refusal> {
  const { services } = context;
  const { namespace } = target;
  const { cluster } = clusterOf(services, target.cluster);
  const pod = await findPod(cluster, namespace, target.pod, seenNamespaces(context, cluster.name));
  const marked = isRefusal(pod) ? undefined : await markedBy(services, pod);
  if (marked !== undefined) return liftable(marked, services.now());
  const [only, ...more] = quarantinesOf(await services.operations.list({ namespace, live: true }), target);
  if (only !== undefined && more.length === 0) return liftable(only, services.now());
  if (only !== undefined) {
    return refusal(
      `several quarantines in ${namespace} are of pods that begin with ${target.pod}`,
      "Name the operation.",
    );
  }
  const name = inCluster(services, target.cluster, `${namespace}/${target.pod}`);
  const where = inCluster(services, target.cluster, namespace);
  return unrecorded(refusal(`no quarantine of ${name} is known`, `Look at /np status ${where}.`), target);
}

/** By what was typed: nothing of a workload or a namespace is in a pod's label. */
async function containmentOf({ services }: Context, target: Target): Promise<Contained | Refusal> {
  const { namespace, cluster } = target;
  const live = await services.operations.list({ namespace, live: true });
  const [only, ...more] = containmentsOf(live, target);
  if (only !== undefined && more.length === 0) return liftable(only, services.now());
  const name = inCluster(services, cluster, targetReference(target));
  if (only !== undefined) return refusal(`several operations have cut off ${name}`, "Name the operation.");
  const what = target.workload === undefined ? "lockdown" : "quarantine";
  const where = inCluster(services, cluster, namespace);
  return unrecorded(refusal(`no ${what} of ${name} is known`, `Look at /np status ${where}.`), target);
}

function containmentsOf(live: readonly Operation[], wanted: Target): readonly Operation[] {
  const reference = targetReference(wanted);
  return live.filter(
    ({ kind, target }) =>
      isContaining(kind) && target.cluster === wanted.cluster && targetReference(target) === reference,
  );
}

function quarantinesOf(live: readonly Operation[], { cluster, namespace, pod }: PodTarget): readonly Operation[] {
  return live.filter(
    ({ kind, target }) =>
      kind === "quarantine" &&
      target.cluster === cluster &&
      target.namespace === namespace &&
      target.pod?.startsWith(pod) === true,
  );
}

/** A label can be written by others: only a quarantine of this very pod counts, and not whichever the label names. */
async function markedBy(services: Services, pod: Pod): Promise<Operation | undefined> {
  const mark = pod.labels[marks.quarantine];
  const operation = mark === undefined ? undefined : await services.operations.get(mark);
  return operation?.plan?.kind === "quarantine" && operation.plan.podUid === pod.uid ? operation : undefined;
}

/** A quarantine that has taken no step for so long is not being carried out any more: its replica is gone. */
const stalledAfterMs = 60_000;

function liftable(operation: Operation, now: number): Contained | Refusal {
  const { id, plan, state } = operation;
  if (plan?.kind !== "quarantine" && plan?.kind !== "contain") {
    return refusal(`${id} is no quarantine`, "Look at /np status for what can be released.");
  }
  if (state === "done")
    return refusal(`${id} was released already (${operation.liftedBy ?? "by hand"})`, "Nothing is left to do.");
  if (state === "running" && isMoving(operation, now)) {
    return refusal(`${id} is being carried out at this moment`, "Release it when its card says that it is in force.");
  }
  if (state === "in-force" || state === "failed" || state === "running") return { ...operation, plan };
  return refusal(`${id} never took effect (${state})`, "Nothing is left to do.");
}

function isMoving({ steps }: Operation, now: number): boolean {
  return now - (steps.at(-1)?.at ?? now) < stalledAfterMs;
}
