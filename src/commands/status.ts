import type { ChainHead } from "../audit/entry.ts";
import type { AuditHealth } from "../audit/health.ts";
import { isUnanswered } from "../kubernetes/failure.ts";
import { decideAccess } from "../policy/access.ts";
import { isDue } from "../policy/debt.ts";
import { standingDrift } from "../policy/drift.ts";
import { formatDuration } from "../policy/duration.ts";
import { mayHaveLeft, type Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { targetReference } from "../policy/target.ts";
import { list, note, text } from "./answers.ts";
import { headlineOf } from "./canary-reply.ts";
import { inCluster, inTime, patienceMs } from "./clusters.ts";
import type { Command } from "./command.ts";
import { detectionLines, detectionOf, stateOf } from "./detection.ts";
import { flowSourceLines } from "./flow-status.ts";
import { watchedSections } from "./flow-watched.ts";
import { type ReaperState, reaperState } from "./heartbeat.ts";
import { inForceLines, inForceSelector } from "./in-force-lines.ts";
import type { Reply, Section } from "./reply.ts";
import { toldPlaces } from "./sees.ts";
import type { Context, Services } from "./services.ts";
import { standingHeadline } from "./standing-headline.ts";
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
  const isVisible = (one: Operation): boolean => {
    const places = toldPlaces(one);
    return (
      places.every(({ cluster, namespace }) => may(cluster, namespace)) &&
      places.some(({ cluster, namespace }) => visible(cluster, namespace))
    );
  };
  // A cluster where one may not look is not named.
  const names = [...services.clusters.keys()].filter((name) => may(name, command.namespace));
  const [clusters, operations, store, watched] = await Promise.all([
    Promise.all(names.map((name) => clusterSection(services, name, visible))),
    openOperations(services, isVisible),
    storeLines(services),
    watchedSections({ services, request }, command),
  ]);
  const reply = note(`Status${placeWords(command)}`, [
    ...clusters,
    operations,
    ...watched,
    list("Bulkhead", [...store, ...templateLines(services)]),
  ]);
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
  try {
    const [ours, engines, reaper] = await Promise.all([
      entry.cluster.knownPolicies(inForceSelector, patienceMs),
      enginesOf(services, name),
      reaperLines(services, name),
    ]);
    const shown = ours.items.filter(({ metadata }) => visible(name, metadata.namespace));
    const before = knownBefore(ours);
    return list(`Cluster ${name}: policies ${engines.known}`, [
      ...engines.lines,
      ...(await testedLines(services, name)),
      ...reaper,
      ...flowSourceLines(services, name),
      ...(before === undefined ? cacheLines(entry.cluster.watches(), services.now()) : [before]),
      ...(shown.length === 0
        ? ["nothing of Bulkhead's is in force"]
        : inForceLines(shown, { now: services.now(), serverMs: entry.cluster.serverTime()?.latestMs })),
    ]);
  } catch (error) {
    const next = isUnanswered(error) ? [whatToDo(error)] : [];
    return list(`Cluster ${name}: does not tell`, [
      `NOT KNOWN: ${error instanceof Error ? error.message : String(error)}`,
      ...next,
      ...flowSourceLines(services, name),
    ]);
  }
}

/** A cluster that is slow to tell does not hold up what is in force. */
async function enginesOf(
  services: Services,
  name: string,
): Promise<{ readonly known: string; readonly lines: readonly string[] }> {
  try {
    const detection = await inTime(detectionOf(services, name, "cache"));
    const { state } = stateOf(detection, "networkpolicy");
    return { known: stateWords[state], lines: detectionLines(detection) };
  } catch (error) {
    return { known: stateWords.unknown, lines: [`the policy engines were not read: ${String(error)}`] };
  }
}

const stateWords = { enforced: "enforced", "not-enforced": "NOT enforced", unknown: "not known to be enforced" };

/** What verify-enforcement found last, where it is still kept; where that cannot be read, Redis is said to be away below. */
async function testedLines(services: Services, cluster: string): Promise<readonly string[]> {
  const record = await services.canaries?.last(cluster).catch(() => undefined);
  if (record === undefined) return [];
  const age = formatDuration(Math.max(0, services.now() - record.at));
  return [`${headlineOf(cluster, record)} (tested ${age} ago, run ${record.run})`];
}

/** The reaper is what ends allowances where all of Bulkhead is away. */
async function reaperLines(services: Services, cluster: string): Promise<readonly string[]> {
  const { state, ageMs, problems } = await inTime(reaperState(services, cluster)).catch(unreadReaper);
  const age = ageMs === undefined ? "" : `, ${formatDuration(ageMs)} ago`;
  const words = {
    fresh: `the reaper read this cluster${age}`,
    stale: `WARNING: the reaper does not run as it should: it read this cluster too long ago${age}`,
    never: "WARNING: the reaper has never read this cluster (CronJob bulkhead-reaper)",
  };
  return [words[state], ...problems.map((problem) => `WARNING: the reaper: ${problem}`)];
}

function unreadReaper(error: unknown): ReaperState {
  return { state: "stale", problems: [String(error)] };
}

async function openOperations(services: Services, isVisible: (operation: Operation) => boolean): Promise<Section> {
  let unread = 0;
  try {
    const all = await services.operations.list({ live: true, onProblem: () => void (unread += 1) });
    const live = all.filter(isVisible).map((one) => operationLine(services, one));
    // Where those are is not known, so everybody is told that they are there.
    const missing = `${unread} that Redis holds cannot be read by this version of Bulkhead: its log names them`;
    return list("Operations", [
      ...(live.length + unread === 0 ? ["none is open"] : live),
      ...(unread === 0 ? [] : [missing]),
    ]);
  } catch {
    return list("Operations", ["not known: Redis does not answer", ...(await keptLines(services, isVisible))]);
  }
}

/** What was begun meanwhile lies in the cluster, which may be away too. */
async function keptLines(services: Services, isVisible: (operation: Operation) => boolean): Promise<readonly string[]> {
  const kept = (await services.operations.kept?.().catch(() => [])) ?? [];
  return kept
    .filter(isVisible)
    .map((one) => `${operationLine(services, one)} (kept in the cluster until Redis is back)`);
}

/** An operation in one line: what, how it stands, by whom, and its result. */
export function operationLine(services: Services, operation: Operation): string {
  const { id, kind, target, principal, incident, result } = operation;
  const claim = standingHeadline(operation) ?? result?.headline;
  const how = `${stateOfOperation(operation)}${driftWords(operation)}${isDue(operation) ? `, NEEDS REVIEW (${operation.debt?.because ?? ""})` : ""}`;
  const where = inCluster(services, target.cluster, targetReference(target));
  return `${id}: ${kind} ${where}, ${how}, by ${principalName(principal)}${incident === undefined ? "" : ` for ${incident}`}${claim === undefined ? "" : `: ${claim}`}`;
}

/** Of what nobody has accepted; `/np drift` has the rest. */
function driftWords(operation: Operation): string {
  const open = standingDrift(operation).filter(({ state }) => state === "open");
  return open.length === 0 ? "" : `, DRIFT (${open.length}): ${open[0]?.what ?? ""}`;
}

function stateOfOperation(operation: Operation): string {
  const { state, approval } = operation;
  if (state === "awaiting-approval" && approval !== undefined) {
    const until = new Date(approval.expiresAt).toISOString();
    return `waits for approval (${approval.given.length} of ${approval.needed}, until ${until})`;
  }
  return mayHaveLeft(operation) ? "failed, may have left objects" : state;
}

/** Whether Redis answers and the audit chain is whole. */
export async function storeLines(services: Services): Promise<readonly string[]> {
  try {
    const [head, { warnings, entries }] = await Promise.all([services.audit.head(), auditHealth(services)]);
    return [
      "Redis answers",
      chainLine(head, entries),
      ...[...warnings, ...(services.storeProblems?.() ?? [])].map((warning) => `WARNING: ${warning}`),
    ];
  } catch {
    return [
      "Redis does NOT answer: pods can be quarantined (kept in the cluster until it does), nothing can be released",
    ];
  }
}

/** What keeps a file from being a template is known without Redis. */
export function templateLines({ templates }: Services): readonly string[] {
  return templates.problems().map(({ file, reason }) => `WARNING: template ${file}: ${reason}`);
}

/** Entries that were exported may have left Redis. */
function chainLine({ seq, hash }: ChainHead, entries: number | undefined): string {
  if (seq === 0) return "the audit chain is empty";
  const held = entries === undefined || entries >= seq ? "" : ` (Redis holds the newest ${entries})`;
  return `the audit chain has ${seq} entries${held}, head ${hash.slice(0, 12)}`;
}

type KnownHealth = Pick<AuditHealth, "warnings"> & { readonly entries: number | undefined };

/** A server that answers and does not tell how full it is still answers. */
async function auditHealth({ audit }: Services): Promise<KnownHealth> {
  try {
    return await audit.health();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { warnings: [`how full Redis is cannot be asked: ${why}`], entries: undefined };
  }
}
