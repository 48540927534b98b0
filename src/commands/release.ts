import type { Freshness, NamespaceFacts } from "../kubernetes/cluster.ts";
import { isUnanswered } from "../kubernetes/failure.ts";
import type { Place } from "../policy/access.ts";
import { isRefusal, type Refusal } from "../policy/guard.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { KeepChoice, LiftPlan, ReleasePlan } from "../policy/plan.ts";
import { accept } from "./accept.ts";
import { refused } from "./answers.ts";
import { releaseByHand, releaseUnrecorded } from "./by-hand.ts";
import { operationCard, showPreview } from "./card.ts";
import { clusterFor } from "./clusters.ts";
import type { Command } from "./command.ts";
import { askedQuarantine, type Contained, hasQuarantine, type Quarantine } from "./find-quarantine.ts";
import { owing } from "./hold.ts";
import { recordRefusal } from "./journal.ts";
import { drawLift } from "./lift-plan.ts";
import { planRelease } from "./release-plan.ts";
import type { Reply } from "./reply.ts";
import { type Context, clusterOf, keepCard, type Services, store } from "./services.ts";
import { verifiedSnapshot } from "./snapshot.ts";
import { planning, tracingOf } from "./tracing.ts";
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
  const plan = await planning(services, () => drawRelease(services, found, { ...command, from: "cache" }));
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

/** Gathers facts and decides: the plan as it would be now. */
export async function drawRelease(
  services: Services,
  contained: Contained,
  choice: { readonly deletePod: boolean; readonly keep: KeepChoice; readonly from: Freshness },
): Promise<ReleasePlan | LiftPlan | Refusal> {
  const { plan } = contained;
  if (plan.kind === "contain") return drawLift(services, { ...contained, plan }, choice);
  return drawRestoration(services, { ...contained, plan }, choice);
}

async function drawRestoration(
  services: Services,
  quarantine: Quarantine,
  choice: { readonly deletePod: boolean; readonly keep: KeepChoice; readonly from: Freshness },
): Promise<ReleasePlan | Refusal> {
  const gathering = () => gather(services, quarantine, choice.from);
  const { pod, policy, facts } = await tracingOf(services).span("gather", {}, gathering);
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
  readonly policy: Manifest | undefined;
  readonly facts: NamespaceFacts;
};

/** Pod and policy from the server; to show a plan, where it cannot be asked, as the cache last knew them. */
async function gather(services: Services, { plan }: Quarantine, from: Freshness): Promise<Gathered> {
  const { target } = plan;
  const { cluster } = clusterOf(services, target.cluster);
  const policyName = plan.policy.metadata.name;
  try {
    const [pod, policy, facts] = await Promise.all([
      cluster.getPod(target.namespace, target.pod),
      cluster.getObject(plan.policy),
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
