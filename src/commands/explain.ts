import { decideAccess, type Place } from "../policy/access.ts";
import { isRefusal, type Refusal } from "../policy/guard.ts";
import { note, text } from "./answers.ts";
import { clusterFor } from "./clusters.ts";
import type { Command, End } from "./command.ts";
import { detectionOf } from "./detection.ts";
import { resolveEnd } from "./explain-ends.ts";
import { readFacts } from "./explain-facts.ts";
import { explainReply } from "./explain-reply.ts";
import { weigh } from "./explain-verdict.ts";
import type { Reply } from "./reply.ts";
import { type Context, clusterOf } from "./services.ts";

type ExplainCommand = Extract<Command, { kind: "explain" }>;

/**
 * Its cluster, and a place that decides whether the person may: the right `status` is needed in the namespaces of both
 * ends, so it is the first of them where that is missing. Nothing of a namespace is looked at before.
 */
export async function locateExplain(
  context: Context,
  command: ExplainCommand,
): Promise<{ readonly place: Place; readonly command: ExplainCommand } | Refusal> {
  const { services, request } = context;
  const named = [command.from, command.to].filter((end) => end.kind === "named");
  const [first] = named;
  if (first === undefined) throw new Error("an explanation of two addresses was asked for");
  const reference = { cluster: command.cluster, namespace: first.namespace, pod: first.name };
  const cluster = await clusterFor(context, { verb: "status", reference, isIn: (name) => isIn(context, name, first) });
  if (typeof cluster === "object") return cluster;
  const places = named.map(({ namespace }) => ({ cluster, namespace }));
  const { access } = services.settings;
  const closed = places.find((place) => !decideAccess(access, request.principal, "status", place).allowed);
  return { place: closed ?? { cluster, namespace: first.namespace }, command: { ...command, cluster } };
}

async function isIn({ services }: Context, name: string, end: Extract<End, { kind: "named" }>): Promise<boolean> {
  const { pods, workloads, services: all } = await clusterOf(services, name).cluster.facts(end.namespace, "cache");
  const same = [...workloads, ...all].some((one) => one.name === end.name);
  return same || pods.some((pod) => pod.name.startsWith(end.name));
}

/** Whether one may connect to the other by all policies together, and why. */
export async function explain(context: Context, command: ExplainCommand): Promise<Reply> {
  const reply = await answer(context, command);
  await context.outlet.show(reply, undefined);
  return reply;
}

async function answer({ services, request }: Context, command: ExplainCommand): Promise<Reply> {
  if (command.cluster === undefined) throw new Error("nobody said which cluster is meant");
  const { cluster } = clusterOf(services, command.cluster);
  const sees = (namespace: string): boolean =>
    decideAccess(services.settings.access, request.principal, "status", { cluster: cluster.name, namespace }).allowed;
  const facts = await readFacts(cluster, [command.from, command.to], detectionOf(services, cluster.name, "cache"));
  const { protocol, port } = command;
  const from = resolveEnd({ facts, sees, arrival: undefined }, command.from);
  if (isRefusal(from)) return unanswered(from);
  const to = resolveEnd({ facts, sees, arrival: { protocol, port } }, command.to);
  if (isRefusal(to)) return unanswered(to);
  const named = services.clusters.size > 1 ? cluster.name : undefined;
  return explainReply({
    ...weigh(facts, { from, to, protocol }),
    facts,
    from,
    to,
    protocol,
    port,
    cluster: named,
  });
}

/** No right is missing, so it is not called a refusal: what was asked about is not there. */
function unanswered({ reason, next }: Refusal): Reply {
  return note(
    "Not answered: explain",
    [text(`${reason.charAt(0).toUpperCase()}${reason.slice(1)}. ${next}`)],
    "refused",
  );
}
