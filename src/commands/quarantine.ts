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
import { owing } from "./hold.ts";
import { recordRefusal } from "./journal.ts";
import type { Reply } from "./reply.ts";
import { refuseRights } from "./rights.ts";
import { seenNamespaces } from "./sees.ts";
import { type Context, clusterOf, keepCard, type Services, store } from "./services.ts";

type QuarantineCommand = Extract<Command, { kind: "quarantine" }>;

/** The cluster that is meant: where several could be, the one that has the pod. */
export async function locateQuarantine(
  context: Context,
  command: QuarantineCommand,
): Promise<{ readonly place: Place; readonly command: QuarantineCommand } | Refusal> {
  const { namespace, pod } = command;
  const isIn = (name: string) => hasPod(clusterOf(context.services, name).cluster, namespace, pod);
  const cluster = await clusterFor(context, { verb: "quarantine", reference: command, isIn });
  if (typeof cluster === "object") return cluster;
  return { place: { cluster, namespace }, command: { ...command, cluster } };
}

/** Plans a quarantine and shows the plan; nothing is written to the cluster before Confirm. */
export async function quarantine(context: Context, command: QuarantineCommand): Promise<Reply> {
  if (command.cluster === undefined) throw new Error("nobody said which cluster is meant");
  const target = { cluster: command.cluster, namespace: command.namespace, pod: command.pod };
  const accepted = await accept(context, { kind: "quarantine", target, command });
  if (accepted.kind === "answered") return accepted.reply;
  return owing(context, accepted, (held) => proposeQuarantine(held, accepted.operation, command));
}

/** The same for an operation that was accepted already, by this replica or by one that is gone. */
export async function proposeQuarantine(
  context: Context,
  operation: Operation,
  command: QuarantineCommand,
): Promise<Reply> {
  const { services, request, outlet } = context;
  const { cluster } = clusterOf(services, operation.target.cluster);
  const pod = await findPod(cluster, command.namespace, command.pod, seenNamespaces(context, cluster.name));
  if (isRefusal(pod)) return refuse(context, operation, pod, command.dryRun);
  const existing = await existingQuarantine(services, pod);
  if (existing !== undefined) return answerExisting(context, operation, existing, command.dryRun);
  const plan = await drawQuarantine(services, operation, pod, { choices: command.choices, from: "cache" });
  if (isRefusal(plan)) return refuse(context, operation, plan, command.dryRun);
  const denied = await refuseRights(cluster, plan, request.source).catch(orUnknown);
  if (denied !== undefined && denied !== "unknown") return refuse(context, operation, denied, command.dryRun);
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
  return operation?.plan?.podUid === pod.uid ? operation : undefined;
}

async function answerExisting(
  { services, outlet }: Context,
  operation: Operation,
  existing: Operation,
  dryRun: boolean,
): Promise<Reply> {
  if (!dryRun) {
    await store(services, {
      ...operation,
      state: "refused",
      result: { headline: `Already quarantined by ${existing.id}`, tone: "warning", lines: [], audited: "" },
    });
  }
  const card = operationCard(existing, services.now());
  const reply: Reply = { ...card, shape: "note", headline: `Already quarantined by ${existing.id}: ${card.headline}` };
  await outlet.show(reply, undefined);
  return reply;
}

async function refuse(
  { services, request, outlet }: Context,
  operation: Operation,
  no: Refusal,
  dryRun: boolean,
): Promise<Reply> {
  const { cluster, namespace } = operation.target;
  const what = `${operation.kind} ${inCluster(services, cluster, targetReference(operation.target))}`;
  if (!dryRun) {
    await store(services, {
      ...operation,
      state: "refused",
      result: { headline: `Refused: ${what}`, tone: "warning", lines: [no.reason], audited: "" },
    });
  }
  await recordRefusal(services, request, {
    verb: "quarantine",
    cluster,
    namespace,
    incident: operation.incident,
    why: no.reason,
  });
  const reply = { ...refused(what, no), operation: operation.id };
  await outlet.show(reply, undefined);
  return reply;
}

const rightsUnknown = "Whether Kubernetes lets Bulkhead write there could not be asked.";

/** A plan can be shown without; if it is a no, the first write says so. */
function orUnknown(error: unknown): "unknown" {
  if (!isUnanswered(error)) throw error;
  return "unknown";
}
