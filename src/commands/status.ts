import { isUnanswered } from "../kubernetes/failure.ts";
import { decideAccess } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import { mayHaveLeft, type Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { list, note, text } from "./answers.ts";
import { inCluster, patienceMs } from "./clusters.ts";
import type { Command } from "./command.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context, Services } from "./services.ts";
import { cacheLines, knownBefore, whatToDo } from "./unanswered.ts";

/** What is in force, from the cluster (which holds the truth), and how Bulkhead itself is. */
export async function status(
  { services, request, outlet }: Context,
  command: Extract<Command, { kind: "status" }>,
): Promise<Reply> {
  const may = (cluster: string, namespace: string | undefined): boolean =>
    (command.cluster === undefined || command.cluster === cluster) &&
    decideAccess(services.settings.access, request.principal, "status", { cluster, namespace }).allowed;
  const visible: Visible = (cluster, namespace) =>
    (command.namespace === undefined || command.namespace === namespace) && may(cluster, namespace);
  // A cluster where one may not look is not named.
  const names = [...services.clusters.keys()].filter((name) => may(name, command.namespace));
  const [clusters, operations, store] = await Promise.all([
    Promise.all(names.map((name) => clusterSection(services, name, visible))),
    openOperations(services, visible),
    storeLines(services),
  ]);
  const reply = note(`Status${placeWords(command)}`, [...clusters, operations, list("Bulkhead", store)]);
  await outlet.show(reply, undefined);
  return reply;
}

function placeWords({ cluster, namespace }: Extract<Command, { kind: "status" }>): string {
  if (cluster === undefined) return namespace === undefined ? "" : ` in ${namespace}`;
  return namespace === undefined ? ` of cluster ${cluster}` : ` in ${cluster}:${namespace}`;
}

/** Whether the caller asked for it and may see it. */
type Visible = (cluster: string, namespace: string) => boolean;

async function clusterSection(services: Services, name: string, visible: Visible): Promise<Section> {
  const entry = services.clusters.get(name);
  if (entry === undefined) return text(`Cluster ${name} is not configured.`);
  const title = `Cluster ${name}: policy enforcement ${entry.enforcement}`;
  try {
    const ours = await entry.cluster.knownPolicies({ [marks.kind]: "quarantine" }, patienceMs);
    const shown = ours.items.filter(({ metadata }) => visible(name, metadata.namespace));
    const before = knownBefore(ours);
    return list(title, [
      ...(before === undefined ? cacheLines(entry.cluster.watches(), services.now()) : [before]),
      ...(shown.length === 0
        ? ["nothing of Bulkhead's is in force"]
        : shown.map((policy) => inForce(policy, services.now()))),
    ]);
  } catch (error) {
    const next = isUnanswered(error) ? [whatToDo(error)] : [];
    return list(title, [`NOT KNOWN: ${error instanceof Error ? error.message : String(error)}`, ...next]);
  }
}

function inForce({ metadata }: NetworkPolicy, now: number): string {
  const { labels = {}, annotations = {}, namespace, creationTimestamp } = metadata;
  const [pod = "?"] = (annotations[marks.pod] ?? "?").split(" ");
  const age = creationTimestamp === undefined ? "?" : formatDuration(Math.max(0, now - Date.parse(creationTimestamp)));
  const reason = annotations[marks.reason] ?? "";
  const incident = annotations[marks.incident] ?? "";
  return `${labels[marks.operation] ?? "?"}: ${namespace}/${pod} quarantined for ${age} by ${annotations[marks.principal] ?? "?"}${incident === "" ? "" : ` for ${incident}`}${reason === "" ? "" : `: ${reason}`}`;
}

async function openOperations(services: Services, visible: Visible): Promise<Section> {
  try {
    const live = (await services.operations.list({ live: true })).filter(({ target }) =>
      visible(target.cluster, target.namespace),
    );
    return list("Operations", live.length === 0 ? ["none is open"] : live.map((one) => operationLine(services, one)));
  } catch {
    return list("Operations", ["not known: Redis does not answer"]);
  }
}

function operationLine(services: Services, operation: Operation): string {
  const { id, kind, state, target, principal, incident, result } = operation;
  const how = mayHaveLeft(operation) ? "failed, may have left objects" : state;
  const where = inCluster(services, target.cluster, `${target.namespace}/${target.pod}`);
  return `${id}: ${kind} ${where}, ${how}, by ${principalName(principal)}${incident === undefined ? "" : ` for ${incident}`}${result === undefined ? "" : `: ${result.headline}`}`;
}

async function storeLines(services: Services): Promise<readonly string[]> {
  try {
    const [{ seq, hash }, warnings] = await Promise.all([services.audit.head(), auditWarnings(services)]);
    return [
      "Redis answers",
      seq === 0 ? "the audit chain is empty" : `the audit chain has ${seq} entries, head ${hash.slice(0, 12)}`,
      ...[...warnings, ...(services.storeProblems?.() ?? [])].map((warning) => `WARNING: ${warning}`),
    ];
  } catch {
    return [
      "Redis does NOT answer: pods can be quarantined (kept in the cluster until it does), nothing can be released",
    ];
  }
}

/** A server that answers and does not tell how full it is still answers. */
async function auditWarnings({ audit }: Services): Promise<readonly string[]> {
  try {
    return (await audit.health()).warnings;
  } catch (error) {
    return [`how full Redis is cannot be asked: ${error instanceof Error ? error.message : String(error)}`];
  }
}
