import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import type { Place } from "../policy/access.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { marks } from "../policy/marks.ts";
import type { Operation } from "../policy/operation.ts";
import type { ContainPlan } from "../policy/plan.ts";
import { didYouMean } from "../policy/suggest.ts";
import { type NamespaceTarget, targetReference, type WorkloadTarget } from "../policy/target.ts";
import { accept } from "./accept.ts";
import { operationCard, showPreview } from "./card.ts";
import { clusterFor } from "./clusters.ts";
import type { Command } from "./command.ts";
import { drawContain } from "./draw-contain.ts";
import { owing } from "./hold.ts";
import { answerExisting, orUnknown, refuseContaining, rightsUnknown } from "./quarantine.ts";
import type { Reply } from "./reply.ts";
import { refuseRights } from "./rights.ts";
import { seenNamespaces } from "./sees.ts";
import { type Context, clusterOf, keepCard, type Services, store } from "./services.ts";
import { planning } from "./tracing.ts";

/** A command about more than one pod. */
export type ContainCommand = Exclude<Extract<Command, { kind: "quarantine" | "lockdown" }>, { pod: string }>;

type LockdownCommand = Extract<Command, { kind: "lockdown" }>;

/** The cluster that is meant: where several could be, the one that has the namespace. */
export async function locateLockdown(
  context: Context,
  command: LockdownCommand,
): Promise<{ readonly place: Place; readonly command: LockdownCommand } | Refusal> {
  const { namespace } = command;
  const isIn = async (name: string): Promise<boolean> =>
    (await clusterOf(context.services, name).cluster.namespaces()).some((one) => one.name === namespace);
  const cluster = await clusterFor(context, { verb: "lockdown", reference: command, isIn });
  if (typeof cluster === "object") return cluster;
  return { place: { cluster, namespace }, command: { ...command, cluster } };
}

/** Plans the quarantine of a workload or a lockdown, and shows the plan; nothing is written before Confirm. */
export async function contain(context: Context, command: ContainCommand): Promise<Reply> {
  const { cluster, namespace, workload, kind } = command;
  if (cluster === undefined) throw new Error("nobody said which cluster is meant");
  const target = workload === undefined ? { cluster, namespace } : { cluster, namespace, workload };
  const accepted = await accept(context, { kind, target, command });
  if (accepted.kind === "answered") return accepted.reply;
  return owing(context, accepted, (held) => proposeContain(held, accepted.operation, command));
}

/** The same for an operation that was accepted already, by this replica or by one that is gone. */
export async function proposeContain(context: Context, operation: Operation, command: ContainCommand): Promise<Reply> {
  const { services, outlet, request } = context;
  const { target } = operation;
  if (target.pod !== undefined) throw new Error(`operation ${operation.id} is about a pod`);
  const { cluster } = clusterOf(services, target.cluster);
  const facts = await cluster.facts(target.namespace, "cache");
  const existing = await existingContainment(services, operation, target, facts);
  if (existing !== undefined && isRefusal(existing))
    return refuseContaining(context, operation, existing, command.dryRun);
  if (existing !== undefined) return answerExisting(context, operation, existing, command.dryRun);
  const missing = target.workload === undefined ? await refuseMissing(context, target, facts) : undefined;
  const { choices } = command;
  const plan =
    missing ?? (await planning(services, () => drawContain(services, operation, target, { choices, from: "cache" })));
  if (isRefusal(plan)) return refuseContaining(context, operation, plan, command.dryRun);
  const denied = await refuseRights(cluster, plan, request.source).catch(orUnknown);
  if (denied !== undefined && denied !== "unknown") {
    return refuseContaining(context, operation, denied, command.dryRun);
  }
  const planned = plannedOf(context, operation, command, {
    ...plan,
    warnings: denied === "unknown" ? [...plan.warnings, rightsUnknown] : plan.warnings,
  });
  if (command.dryRun) return showPreview(outlet, planned);
  const stored = await store(services, planned);
  const reply = operationCard(stored, services.now());
  await keepCard(services, stored, (await outlet.show(reply, undefined)).card);
  return reply;
}

function plannedOf(
  { services }: Context,
  operation: Operation,
  { reviewMs }: ContainCommand,
  plan: ContainPlan,
): Operation {
  return {
    ...operation,
    state: "planned",
    plan,
    steps: [...operation.steps, { step: "planned", at: services.now() }],
    ...(reviewMs === undefined ? {} : { reviewAt: operation.origin.at + reviewMs, reviewEveryMs: reviewMs }),
  };
}

/** The live operation that has cut the same off already, or why one that nobody knows stands in the way. */
async function existingContainment(
  services: Services,
  operation: Operation,
  target: WorkloadTarget | NamespaceTarget,
  { policies }: NamespaceFacts,
): Promise<Operation | Refusal | undefined> {
  const reference = targetReference(target);
  const same = policies.find(
    ({ metadata: { labels = {}, annotations = {} } }) =>
      annotations[marks.target] === reference && labels[marks.operation] !== operation.id,
  );
  const id = same?.metadata.labels?.[marks.operation];
  if (id === undefined) return undefined;
  const existing = await services.operations.get(id);
  if (existing?.target.cluster === target.cluster && targetReference(existing.target) === reference) return existing;
  return refusal(
    `NetworkPolicy ${same?.metadata.name ?? ""} of operation ${id} cuts it off already`,
    `Look at /np status ${target.namespace}; end that first with /np release ${reference}, which gives the kubectl lines where Bulkhead's record of it is lost.`,
  );
}

async function refuseMissing(
  context: Context,
  { cluster: name, namespace }: NamespaceTarget,
  { pods }: NamespaceFacts,
): Promise<Refusal | undefined> {
  if (pods.length > 0) return undefined;
  const { cluster } = clusterOf(context.services, name);
  const names = (await cluster.namespaces()).map((one) => one.name);
  if (names.includes(namespace)) return undefined;
  const seen = names.filter(seenNamespaces(context, name));
  return refusal(`there is no namespace ${namespace}`, `Look at kubectl get namespaces.${didYouMean(namespace, seen)}`);
}
