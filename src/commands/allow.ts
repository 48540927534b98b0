import type { Place } from "../policy/access.ts";
import { decideAccess } from "../policy/access.ts";
import type { BoundTemplate } from "../policy/bind-template.ts";
import { refuseBreakGlass } from "../policy/break-glass.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { namespacesOf } from "../policy/openings.ts";
import type { Operation } from "../policy/operation.ts";
import type { AllowPlan } from "../policy/plan.ts";
import { refuseElsewhere } from "../policy/template.ts";
import { accept } from "./accept.ts";
import { listTemplates } from "./allow-list.ts";
import { operationCard, showPreview } from "./card.ts";
import { clusterFor } from "./clusters.ts";
import { type Allowing, type Command, isAllowing } from "./command.ts";
import { bindNamed, drawAllow } from "./draw-allow.ts";
import { owing } from "./hold.ts";
import { orUnknown, refuseContaining, rightsUnknown } from "./quarantine.ts";
import type { Reply } from "./reply.ts";
import { refuseWriting } from "./rights.ts";
import { type Context, clusterOf, keepCard, type Services, store } from "./services.ts";
import { planning } from "./tracing.ts";

type AllowCommand = Extract<Command, { kind: "allow" }>;
type LocatedAllow = { readonly place: Place; readonly command: AllowCommand };

/** Where it opens something: the cluster that is meant, and the namespace that it is counted to. */
export async function locateAllow(context: Context, command: AllowCommand): Promise<LocatedAllow | Refusal> {
  if (!isAllowing(command)) return { place: { cluster: undefined, namespace: undefined }, command };
  const { services } = context;
  if (services.timers === undefined) {
    return refusal(
      "no Redis answers here, and nothing is opened without a timer that closes it",
      "Use Bulkhead in Slack.",
    );
  }
  const bound = bindNamed(services, command.template, command.values);
  if (isRefusal(bound)) return bound;
  const namespace = homeOf(bound);
  if (namespace === undefined)
    return refusal(`template ${command.template} names no namespace`, "Ask its owner to mend it.");
  if (bound.cluster !== undefined && command.cluster !== undefined && bound.cluster !== command.cluster) {
    return refusal(`its values are in cluster ${bound.cluster}, not in ${command.cluster}`, "Name one cluster.");
  }
  const isIn = async (name: string): Promise<boolean> =>
    (await clusterOf(services, name).cluster.namespaces()).some((one) => one.name === namespace);
  const reference = { cluster: bound.cluster ?? command.cluster, namespace };
  const cluster = await clusterFor(context, { verb: "allow", reference, isIn });
  if (typeof cluster === "object") return cluster;
  const elsewhere = namespacesOf(bound)
    .map((one) => refuseElsewhere(bound.template, { cluster, namespace: one }))
    .find((one) => one !== undefined);
  return elsewhere ?? { place: { cluster, namespace }, command: { ...command, cluster } };
}

/** That of the first workload that it names, else of the first end that has one. */
function homeOf({ openings }: BoundTemplate): string | undefined {
  const ends = openings.flatMap(({ from, to }) => [from, to]);
  const workload = ends.find(({ kind }) => kind === "workload");
  if (workload?.kind === "workload") return workload.workload.namespace;
  const namespace = ends.find(({ kind }) => kind === "namespace");
  return namespace?.kind === "namespace" ? namespace.namespace : undefined;
}

/** Plans an allowance and shows the plan; nothing is written before Confirm. Without a template it lists them. */
export async function allow(context: Context, command: AllowCommand): Promise<Reply> {
  if (!isAllowing(command)) return listTemplates(context);
  const bound = bindNamed(context.services, command.template, command.values);
  const namespace = isRefusal(bound) ? undefined : homeOf(bound);
  if (command.cluster === undefined || namespace === undefined) throw new Error("nobody said what is meant");
  const target = { cluster: command.cluster, namespace };
  const accepted = await accept(context, { kind: "allowance", target, command });
  if (accepted.kind === "answered") return accepted.reply;
  return owing(context, accepted, (held) => proposeAllow(held, accepted.operation, command));
}

/** The same for an operation that was accepted already, by this replica or by one that is gone. */
export async function proposeAllow(context: Context, operation: Operation, command: Allowing): Promise<Reply> {
  const { services, outlet, request } = context;
  const { target } = operation;
  if (target.pod !== undefined || target.workload !== undefined)
    throw new Error(`${operation.id} is about no namespace`);
  const { template, values, ttlMs, breakGlass, dryRun } = command;
  const asked = { template, values, ttlMs, breakGlass, from: "cache" } as const;
  const plan = await planning(services, () => drawAllow(services, operation, target, asked));
  if (isRefusal(plan)) return refuseContaining(context, operation, plan, dryRun);
  const no = refuseNamespaces(context, plan) ?? refuseBreakGlass(services.settings.access, operation, plan);
  if (no !== undefined) return refuseContaining(context, operation, no, dryRun);
  const { cluster } = clusterOf(services, target.cluster);
  const denied = await refuseWriting(cluster, plan, request.source).catch(orUnknown);
  if (denied !== undefined && denied !== "unknown") return refuseContaining(context, operation, denied, dryRun);
  const planned = plannedOf(services, operation, denied === "unknown" ? withWarning(plan) : plan);
  if (dryRun) return showPreview(outlet, planned);
  const stored = await store(services, planned);
  const reply = operationCard(stored, services.now());
  await keepCard(services, stored, (await outlet.show(reply, undefined)).card);
  return reply;
}

function withWarning(plan: AllowPlan): AllowPlan {
  return { ...plan, warnings: [...plan.warnings, rightsUnknown] };
}

function plannedOf(services: Services, operation: Operation, plan: AllowPlan): Operation {
  const steps = [...operation.steps, { step: "planned", at: services.now() }];
  const { ttlSeconds, maxSeconds } = plan;
  return { ...operation, state: "planned", plan, steps, allowance: { ttlSeconds, maxSeconds } };
}

/** Whoever opens a side of another namespace needs the right there too. */
function refuseNamespaces({ services, request }: Context, plan: AllowPlan): Refusal | undefined {
  const { cluster } = plan.target;
  const decisions = plan.objects.map(({ metadata: { namespace } }) => ({
    namespace,
    decision: decideAccess(services.settings.access, request.principal, "allow", { cluster, namespace }),
  }));
  const no = decisions.find(({ decision }) => !decision.allowed);
  if (no === undefined || no.decision.allowed) return undefined;
  return refusal(
    `the other side lies in namespace ${no.namespace}, which has to let it in too: ${no.decision.reason}`,
    `Ask somebody who may allow in both ${plan.target.namespace} and ${no.namespace} to type the same.`,
  );
}
