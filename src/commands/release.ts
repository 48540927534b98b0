import type { Freshness, NamespaceFacts } from "../kubernetes/cluster.ts";
import { isUnanswered } from "../kubernetes/failure.ts";
import type { Place } from "../policy/access.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy, Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { KeepChoice, QuarantinePlan, ReleasePlan } from "../policy/plan.ts";
import type { Target } from "../policy/target.ts";
import { accept } from "./accept.ts";
import { refused } from "./answers.ts";
import { releaseByHand, releaseUnrecorded, unrecorded } from "./by-hand.ts";
import { operationCard, showPreview } from "./card.ts";
import { clusterFor, inCluster } from "./clusters.ts";
import type { Command } from "./command.ts";
import { findPod } from "./find-pod.ts";
import { owing } from "./hold.ts";
import { recordRefusal } from "./journal.ts";
import { planRelease } from "./release-plan.ts";
import type { Reply } from "./reply.ts";
import { seenNamespaces, sees } from "./sees.ts";
import { type Context, clusterOf, keepCard, type Services, store } from "./services.ts";
import { verifiedSnapshot } from "./snapshot.ts";
import { oldPlan } from "./unanswered.ts";

export type ReleaseCommand = Extract<Command, { kind: "release" }>;

/** Where the quarantine is that is meant; of a pod by name, in the cluster that has such a quarantine. */
export async function locateRelease(
  context: Context,
  command: ReleaseCommand,
): Promise<{ readonly place: Place; readonly command: ReleaseCommand } | Refusal> {
  const { services } = context;
  const { what } = command;
  if ("operation" in what) {
    const found = await askedQuarantine(context, what);
    return isRefusal(found) ? found : { place: found.target, command };
  }
  const live = await services.operations.list({ namespace: what.namespace, live: true });
  const isIn = (cluster: string) => hasQuarantine(services, live, { ...what, cluster });
  const cluster = await clusterFor(context, { verb: "release", reference: what, isIn });
  if (typeof cluster === "object") return cluster;
  return { place: { cluster, namespace: what.namespace }, command: { ...command, what: { ...what, cluster } } };
}

/** A quarantine with its plan: what a release can lift. */
export type Quarantine = Operation & { readonly plan: QuarantinePlan };

/** Plans the end of a quarantine and shows the plan; nothing is written to the cluster before Confirm. */
export async function release(context: Context, command: ReleaseCommand): Promise<Reply> {
  const found = await askedQuarantine(context, command.what);
  if (isRefusal(found)) return refuse(context, undefined, found);
  const { target, incident } = found;
  const away = () => releaseByHand(context, { operation: found.id });
  const accepted = await accept(context, { kind: "release", target, command, incident, unrecorded: away });
  if (accepted.kind === "answered") return accepted.reply;
  return owing(context, accepted, (held) => proposeRelease(held, accepted.operation, command));
}

/** The same for an operation that was accepted already, by this replica or by one that is gone. */
export async function proposeRelease(context: Context, operation: Operation, command: ReleaseCommand): Promise<Reply> {
  const { services, outlet } = context;
  const { what } = command;
  const { cluster } = operation.target;
  const found = await askedQuarantine(context, "operation" in what ? what : { ...what, cluster });
  if (isRefusal(found)) return refuse(context, command.dryRun ? undefined : operation, found);
  const plan = await drawRelease(services, found, { ...command, from: "cache" });
  if (isRefusal(plan)) return refuse(context, command.dryRun ? undefined : operation, plan);
  const planned: Operation = {
    ...operation,
    state: "planned",
    lifts: found.id,
    plan,
    steps: [...operation.steps, { step: "planned", at: services.now() }],
  };
  if (command.dryRun) return showPreview(outlet, planned);
  const stored = await store(services, planned);
  const reply = operationCard(stored, services.now());
  await keepCard(services, stored, (await outlet.show(reply, undefined)).card);
  return reply;
}

/**
 * The quarantine that is meant, by id, by the beginning of one, or by its pod, among those that the person sees: any
 * other is not there, and does not make a beginning ambiguous either.
 */
async function askedQuarantine(context: Context, what: ReleaseCommand["what"]): Promise<Quarantine | Refusal> {
  const { services } = context;
  if (!("operation" in what)) {
    if (what.cluster === undefined) throw new Error("nobody said which cluster is meant");
    return quarantineOfPod(context, { ...what, cluster: what.cluster });
  }
  const [operation, ...more] = await seenStartingWith(context, what.operation);
  if (more.length > 0) return refusal(`several operations begin with ${what.operation}`, "Type more of the id.");
  return operation === undefined ? unknownOperation(what.operation) : liftable(operation, services.now());
}

/** The quarantine of that id, for what was authorised already. */
export async function findQuarantine(
  services: Services,
  { operation: id }: { readonly operation: string },
): Promise<Quarantine | Refusal> {
  const operation = await services.operations.get(id);
  return operation === undefined ? unknownOperation(id) : liftable(operation, services.now());
}

function unknownOperation(id: string): Refusal {
  return unrecorded(refusal(`there is no operation ${id}`, "Look at /np status."), { operation: id });
}

/** The first two operations that begin so and that the person sees, in the order of their ids. */
async function seenStartingWith({ services, request }: Context, prefix: string): Promise<readonly Operation[]> {
  const found: Operation[] = [];
  let page = await services.operations.startingWith(prefix);
  while (page.length > 0 && found.length < 2) {
    const operations = await Promise.all(page.map((id) => services.operations.get(id)));
    found.push(
      ...operations
        .filter((one) => one !== undefined)
        .filter(({ target }) => sees(services, request.principal, target)),
    );
    page = await services.operations.startingWith(prefix, page.at(-1));
  }
  return found;
}

/** Gathers facts and decides: the plan as it would be now. */
export async function drawRelease(
  services: Services,
  quarantine: Quarantine,
  choice: { readonly deletePod: boolean; readonly keep: KeepChoice; readonly from: Freshness },
): Promise<ReleasePlan | Refusal> {
  const { pod, policy, facts } = await gather(services, quarantine, choice.from);
  const snapshot = await verifiedSnapshot(services, quarantine, policy);
  if (isRefusal(snapshot)) return snapshot;
  return planRelease({
    ...choice,
    quarantine,
    pod: pod?.uid === quarantine.plan.podUid ? pod : undefined,
    facts,
    labelsBefore: snapshot.labels,
    warnings: [...snapshot.warnings, ...oldPlan(facts)],
    settleMs: services.settings.settleMs,
  });
}

type Gathered = {
  readonly pod: Pod | undefined;
  readonly policy: NetworkPolicy | undefined;
  readonly facts: NamespaceFacts;
};

/** Pod and policy from the server; to show a plan, where it cannot be asked, as the cache last knew them. */
async function gather(services: Services, { target, plan }: Quarantine, from: Freshness): Promise<Gathered> {
  const { cluster } = clusterOf(services, target.cluster);
  const policyName = plan.policy.metadata.name;
  try {
    const [pod, policy, facts] = await Promise.all([
      cluster.getPod(target.namespace, target.pod),
      cluster.getPolicy(target.namespace, policyName),
      cluster.facts(target.namespace, from),
    ]);
    return { pod, policy, facts };
  } catch (error) {
    if (from !== "cache" || !isUnanswered(error)) throw error;
    const facts = await cluster.facts(target.namespace, "cache");
    return {
      pod: facts.pods.find(({ name }) => name === target.pod),
      policy: facts.policies.find(({ metadata }) => metadata.name === policyName),
      facts: { ...facts, unanswered: error },
    };
  }
}

/** By the pod's own label where it is there, else by the operations that are live: the pod may be gone. */
async function quarantineOfPod(context: Context, target: Target): Promise<Quarantine | Refusal> {
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

/** Whether quarantineOfPod would find one or several there. */
async function hasQuarantine(services: Services, live: readonly Operation[], target: Target): Promise<boolean> {
  if (quarantinesOf(live, target).length > 0) return true;
  const { cluster } = clusterOf(services, target.cluster);
  const marked = await cluster.listPods(target.namespace, marks.quarantine);
  return marked.some(({ name }) => name.startsWith(target.pod));
}

function quarantinesOf(live: readonly Operation[], { cluster, namespace, pod }: Target): readonly Operation[] {
  return live.filter(
    ({ kind, target }) =>
      kind === "quarantine" &&
      target.cluster === cluster &&
      target.namespace === namespace &&
      target.pod.startsWith(pod),
  );
}

/** A label can be written by others: only a quarantine of this very pod counts, and not whichever the label names. */
async function markedBy(services: Services, pod: Pod): Promise<Operation | undefined> {
  const mark = pod.labels[marks.quarantine];
  const operation = mark === undefined ? undefined : await services.operations.get(mark);
  return operation?.plan?.podUid === pod.uid ? operation : undefined;
}

/** A quarantine that has taken no step for so long is not being carried out any more: its replica is gone. */
const stalledAfterMs = 60_000;

function liftable(operation: Operation, now: number): Quarantine | Refusal {
  const { id, kind, plan, state } = operation;
  if (kind !== "quarantine" || plan?.kind !== "quarantine") {
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

async function refuse(
  { services, request, outlet }: Context,
  operation: Operation | undefined,
  no: Refusal,
): Promise<Reply> {
  if (operation !== undefined) {
    await store(services, {
      ...operation,
      state: "refused",
      result: { headline: "Refused: release", tone: "warning", lines: [no.reason], audited: "" },
    });
  }
  await recordRefusal(services, request, {
    ...operation?.target,
    verb: "release",
    incident: operation?.incident,
    why: no.reason,
  });
  const byHand = await releaseUnrecorded({ services, request, outlet }, no);
  const reply = { ...(byHand ?? refused("release", no)), operation: operation?.id };
  await outlet.show(reply, undefined);
  return reply;
}
