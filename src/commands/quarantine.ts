import type { Cluster } from "../kubernetes/cluster.ts";
import { isUnanswered } from "../kubernetes/failure.ts";
import type { Place } from "../policy/access.ts";
import { isRefusal, type Refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import { targetReference } from "../policy/target.ts";
import { accept } from "./accept.ts";
import { refused } from "./answers.ts";
import { operationCard, showPreview } from "./card.ts";
import { clusterFor, inCluster } from "./clusters.ts";
import type { Command } from "./command.ts";
import { drawQuarantine } from "./draw-quarantine.ts";
import { findPod, hasPod } from "./find-pod.ts";
import { hasWorkload } from "./find-workload.ts";
import { owing } from "./hold.ts";
import { recordRefusal } from "./journal.ts";
import type { Reply } from "./reply.ts";
import { refuseRights } from "./rights.ts";
import { seenNamespaces } from "./sees.ts";
import { type Context, clusterOf, keepCard, type Services, store } from "./services.ts";
import { planning } from "./tracing.ts";
import { verbOf } from "./verb-of.ts";

type QuarantineCommand = Extract<Command, { kind: "quarantine" }>;

/** A quarantine of one pod. */
type PodCommand = Extract<QuarantineCommand, { pod: string }>;

/** The cluster that is meant: where several could be, the one that has the pod or the workload. */
export async function locateQuarantine(
  context: Context,
  command: QuarantineCommand,
): Promise<{ readonly place: Place; readonly command: QuarantineCommand } | Refusal> {
  const { namespace } = command;
  const isIn = (name: string) => holds(clusterOf(context.services, name).cluster, command);
  const cluster = await clusterFor(context, { verb: "quarantine", reference: command, isIn });
  if (typeof cluster === "object") return cluster;
  return { place: { cluster, namespace }, command: { ...command, cluster } };
}

function holds(cluster: Cluster, command: QuarantineCommand): Promise<boolean> {
  const { namespace, workload } = command;
  return workload === undefined
    ? hasPod(cluster, namespace, command.pod)
    : hasWorkload(cluster, { namespace, workload });
}

/** Plans a quarantine and shows the plan; nothing is written to the cluster before Confirm. */
export async function quarantine(context: Context, command: PodCommand): Promise<Reply> {
  if (command.cluster === undefined) throw new Error("nobody said which cluster is meant");
  const target = { cluster: command.cluster, namespace: command.namespace, pod: command.pod };
  const accepted = await accept(context, { kind: "quarantine", target, command });
  if (accepted.kind === "answered") return accepted.reply;
  return owing(context, accepted, (held) => proposeQuarantine(held, accepted.operation, command));
}

/** The same for an operation that was accepted already, by this replica or by one that is gone. */
export async function proposeQuarantine(context: Context, operation: Operation, command: PodCommand): Promise<Reply> {
  const { services, request, outlet } = context;
  const { cluster } = clusterOf(services, operation.target.cluster);
  const pod = await findPod(cluster, command.namespace, command.pod, seenNamespaces(context, cluster.name));
  if (isRefusal(pod)) return refuseContaining(context, operation, pod, command.dryRun);
  const existing = await existingQuarantine(services, pod);
  if (existing !== undefined) return answerExisting(context, operation, existing, command.dryRun);
  const drawing = { choices: command.choices, from: "cache" } as const;
  const plan = await planning(services, () => drawQuarantine(services, operation, pod, drawing));
  if (isRefusal(plan)) return refuseContaining(context, operation, plan, command.dryRun);
  const denied = await refuseRights(cluster, plan, request.source).catch(orUnknown);
  if (denied !== undefined && denied !== "unknown") return refuseContaining(context, operation, denied, command.dryRun);
  const planned: Operation = {
    ...operation,
    state: "planned",
    target: plan.target,
    plan: denied === "unknown" ? { ...plan, warnings: [...plan.warnings, rightsUnknown] } : plan,
    steps: [...operation.steps, { step: "planned", at: services.now() }],
    ...(command.reviewMs === undefined
      ? {}
      : { reviewAt: operation.origin.at + command.reviewMs, reviewEveryMs: command.reviewMs }),
  };
  if (command.dryRun) return showPreview(outlet, planned);
  const stored = await store(services, planned);
  const reply = operationCard(stored, services.now());
  await keepCard(services, stored, (await outlet.show(reply, undefined)).card);
  return reply;
}

/** The live operation that quarantines this pod already. */
async function existingQuarantine(services: Services, pod: Pod): Promise<Operation | undefined> {
  const mark = pod.labels[marks.quarantine];
  const operation = mark === undefined ? undefined : await services.operations.get(mark);
  return operation?.plan?.kind === "quarantine" && operation.plan.podUid === pod.uid ? operation : undefined;
}

/** Shows the operation that holds already, and ends the new one. */
export async function answerExisting(
  { services, outlet }: Context,
  operation: Operation,
  existing: Operation,
  dryRun: boolean,
): Promise<Reply> {
  const already = existing.kind === "lockdown" ? "Already locked down by" : "Already quarantined by";
  if (!dryRun) {
    await store(services, {
      ...operation,
      state: "refused",
      result: { headline: `${already} ${existing.id}`, tone: "warning", lines: [], audited: "" },
    });
  }
  const card = operationCard(existing, services.now());
  const reply: Reply = { ...card, shape: "note", headline: `${already} ${existing.id}: ${card.headline}` };
  await outlet.show(reply, undefined);
  return reply;
}

/** Answers, and records, that what was to be cut off is not. */
export async function refuseContaining(
  { services, request, outlet }: Context,
  operation: Operation,
  no: Refusal,
  dryRun: boolean,
): Promise<Reply> {
  const { cluster, namespace } = operation.target;
  const verb = verbOf(operation.kind);
  const what = `${verb} ${inCluster(services, cluster, targetReference(operation.target))}`;
  if (!dryRun) {
    await store(services, {
      ...operation,
      state: "refused",
      result: { headline: `Refused: ${what}`, tone: "warning", lines: [no.reason], audited: "" },
    });
  }
  await recordRefusal(services, request, {
    verb,
    cluster,
    namespace,
    incident: operation.incident,
    why: no.reason,
  });
  const reply = { ...refused(what, no), operation: operation.id };
  await outlet.show(reply, undefined);
  return reply;
}

/** The warning of a plan where that could not be asked. */
export const rightsUnknown = "Whether Kubernetes lets Bulkhead write there could not be asked.";

/** A plan can be shown without; if it is a no, the first write says so. */
export function orUnknown(error: unknown): "unknown" {
  if (!isUnanswered(error)) throw error;
  return "unknown";
}
