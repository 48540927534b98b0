import { existsSync, readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { type Logger, pino } from "pino";
import { openAudit } from "./bot-audit.ts";
import { openTemplates } from "./bot-templates.ts";
import type { Kept } from "./commands/adopt.ts";
import { attributed } from "./commands/attributed.ts";
import { cardNow } from "./commands/card-now.ts";
import { withFallback } from "./commands/fallback.ts";
import { readHeartbeat } from "./commands/heartbeat.ts";
import { proven } from "./commands/proven.ts";
import { createDesk } from "./commands/run.ts";
import { sealedRecords } from "./commands/seal.ts";
import type { Services } from "./commands/services.ts";
import { createTakeover, type Takeover } from "./commands/takeover.ts";
import { connectCluster, connectionOf, openClusters, slackDispatcher } from "./composition.ts";
import { type Config, configPath, readConfig } from "./config.ts";
import { startFlowWatching } from "./flow-watching.ts";
import { createHistory } from "./history/history.ts";
import { createKubeAudit } from "./kube-audit.ts";
import type { Connection } from "./kubernetes/connection.ts";
import { createRecords } from "./kubernetes/records.ts";
import { areStuck, type WatchState } from "./kubernetes/watch-progress.ts";
import { logLines } from "./log-lines.ts";
import { createMetrics } from "./metrics.ts";
import { startNets } from "./nets.ts";
import { startObserving } from "./observing.ts";
import { authorsOf } from "./policy/authors.ts";
import type { Operation } from "./policy/operation.ts";
import { type Answerer, startProbes } from "./probes.ts";
import { type Readiness, readinessOf } from "./readiness.ts";
import { startRecorders } from "./recorders.ts";
import { connectRedis, untilReady } from "./redis.ts";
import { type RedisWatch, watchRedis } from "./redis-check.ts";
import { createCanaries } from "./scheduler/enforcement.ts";
import { createIncidents } from "./scheduler/incidents.ts";
import { createLeases } from "./scheduler/leases.ts";
import { createLimits } from "./scheduler/limits.ts";
import { createObservations } from "./scheduler/observations.ts";
import { createOperations } from "./scheduler/operations.ts";
import { createShelf, type Shelf } from "./scheduler/shelf.ts";
import { createTimers } from "./scheduler/timers.ts";
import { shutDown } from "./shutdown.ts";
import { type Slack, startSlack } from "./slack/receive.ts";
import { slackConfig } from "./slack-settings.ts";
import { startStanding } from "./standing.ts";
import { type Flows, startFlows } from "./start-flows.ts";
import { type Journals, startSweeps } from "./sweeps.ts";
import { tracedClusters } from "./traced-clusters.ts";
import { type OpenTracing, openTracing } from "./tracing.ts";
import { historyTrouble, redisTrouble, sweepTrouble, traceTrouble, watchTrouble } from "./trouble-log.ts";
import { startWatching } from "./watching.ts";

const loaded = readConfig(process.env, configText(configPath(process.env)), readText, "bot");
if ("problems" in loaded) {
  for (const problem of loaded.problems) process.stderr.write(`bulkhead: ${problem}\n`);
  process.exit(2);
} else {
  await start(loaded.config);
  // Node writes it at the end of a process alone, and whoever is killed has none: the next start takes a second more.
  flushCompileCache();
}

async function start(config: Config): Promise<void> {
  const log = pino({ base: { replica: hostname() } }, logLines(1));
  const metrics = createMetrics({ names: config.watch.metricNames });
  const redis = openRedis(config, log);
  await untilReady(redis, 2_000);
  const { services, store, journals, records, flows, close } = await createServices(config, redis, log, metrics);
  const desk = createDesk(services);
  const slack = startSlack(slackConfig(config, slackDispatcher(config.slack.apiUrl, process.env)), {
    desk,
    now: Date.now,
    log,
    onAck: (ms) => metrics.ack(ms),
    onEvent: (name) => metrics.slackEvent(name),
    ...shared(services, createShelf(redis)),
  });
  if (config.slack.mode === "http") await slack.ready;
  const outletFor = (operation: Operation) => slack.outletFor(operation);
  const takeover = createTakeover(services, outletFor);
  const sweeps = startSweeps({ config, log, metrics, services, store, journals, records, desk, takeover, outletFor });
  const nets = startNets({ services, redis, log, metrics, outletFor });
  const recorders = startRecorders(services, { redis, log, metrics });
  const observing = startObserving(flows, { services, outletFor, log, metrics });
  const watching = startAround({ config, services, journals, redis, log, metrics, slack });
  const readiness = () => readinessNow(config, slack.connected(), redis.status, services);
  const health = { readiness, stuck: () => standstill(services) };
  const kubeAudit = kubeAuditOf(config, services, historyTrouble({ log, metrics }));
  const probes = await startProbes(config.port, metrics, health, firstOf(kubeAudit, flows?.answer));
  const clusters = [...services.clusters.keys()];
  log.info({ port: probes.port, slackPort: slack.port(), clusters }, "Bulkhead has started");
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, "Bulkhead is stopping");
    const ended = await shutDown({
      stop: () => slack.stop(),
      flush: () => desk.flush(true),
      drain: drainOf({ slack, takeover, swept: stopAll([...sweeps, watching, nets, recorders, observing]) }),
      close: () => Promise.all([probes.close(), close()]),
    });
    redis.disconnect();
    log.info(ended, "Bulkhead has stopped");
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(signal));
}

/** Asks each in turn whether it is for it. */
function firstOf(...answerers: readonly (Answerer | undefined)[]): Answerer {
  return (request, response) => answerers.some((answers) => answers?.(request, response) === true);
}

type Around = Omit<Parameters<typeof startWatching>[0], "outletIn"> & {
  readonly journals: Journals;
  readonly slack: Slack;
};

/** What watches the cluster's flows, and how this replica stands. */
function startAround({ journals, slack, ...parts }: Around): { stop(): Promise<void> } {
  const { services, log, metrics } = parts;
  const standing = startStanding({
    services,
    audit: journals.redis.audit,
    slackConnected: () => slack.connected(),
    metrics: metrics.standing,
    ...sweepTrouble("standing", { log, metrics }),
  });
  const spikes = startWatching({ ...parts, ...slackOf(slack) });
  const around = [standing, spikes, startFlowWatching({ ...parts, ...slackOf(slack) })];
  return { stop: async () => void (await stopAll(around)) };
}

function slackOf(slack: Slack): Pick<Slack, "outletIn" | "vouch"> {
  return { outletIn: (channel) => slack.outletIn(channel), vouch: (principal) => slack.vouch(principal) };
}

/** Without a token nobody may post. */
function kubeAuditOf(
  { kubernetesAuditToken: token }: Config,
  { clusters, history }: Services,
  onProblem: (error: unknown) => void,
) {
  if (token === undefined || history === undefined) return undefined;
  return createKubeAudit({
    token,
    clusters: new Set(clusters.keys()),
    attribute: (attribution) => history.attribute(attribution),
    onProblem,
  });
}

type UnderWay = { readonly slack: Slack; readonly takeover: Takeover; readonly swept: Promise<unknown> };

function stopAll(all: readonly { stop(): Promise<unknown> }[]): Promise<unknown> {
  return Promise.all(all.map((one) => one.stop()));
}

/** A sweep that is under way may still take something over. */
function drainOf({ slack, takeover, swept }: UnderWay): (withinMs: number) => Promise<void> {
  return async (withinMs) => {
    const [drained] = await Promise.all([slack.drain(withinMs), swept.then(() => takeover.drain())]);
    if (!drained) throw new Error("something is still under way: another replica takes it over");
  };
}

function openRedis({ redisUrl = "", redisAccess: access }: Config, log: Logger): ReturnType<typeof connectRedis> {
  return connectRedis(redisUrl, { access, onError: redisTrouble(log, Date.now) });
}

/** A setting of the server under which something may be lost is said as long as it is so: log, metric, /np status. */
function watchStore(redis: ReturnType<typeof connectRedis>, log: Logger, metrics: ReturnType<typeof createMetrics>) {
  return watchRedis(redis, ({ problems, unknown }) => {
    metrics.storeProblems(problems.length);
    if (problems.length > 0) log.error({ problems, unknown }, "Redis is not set up as it has to be");
    else log.info({ unknown }, "Redis is set up as it has to be");
  });
}

type Parts = {
  readonly services: Services;
  readonly store: RedisWatch;
  readonly journals: Journals;
  readonly records: Kept;
  /** Undefined where no flows are configured. */
  readonly flows: Flows | undefined;
  readonly close: () => Promise<void>;
};

/** What every replica knows, whichever of them brought it about. */
function shared(services: Services, shelf: Shelf) {
  return { shelf, redraw: (operation: string) => cardNow(services, operation) };
}

/** What lies elsewhere while Redis is away. */
function chainedIn(config: Config, redis: ReturnType<typeof connectRedis>, log: Logger) {
  const onProblem = (id: string, error: unknown) => log.error({ operation: id, error: String(error) }, "operation");
  return {
    operations: createOperations(redis, { now: Date.now, onProblem }),
    leases: createLeases(redis),
    incidents: createIncidents(redis),
    limits: createLimits(redis),
    audit: openAudit(config, redis, log),
  };
}

async function createServices(
  config: Config,
  redis: ReturnType<typeof connectRedis>,
  log: Logger,
  metrics: ReturnType<typeof createMetrics>,
): Promise<Parts> {
  const now = Date.now;
  const connections = new Map(config.clusters.map((one) => [one.name, connectCluster(one, process.env, now)]));
  const trouble = historyTrouble({ log, metrics });
  const history = createHistory(redis, { ...config.history, authors: authorsOf, onProblem: trouble });
  const clusters = openClusters(config.clusters, connections, (cluster) => ({
    now,
    watch: true,
    onProblem: watchTrouble({ cluster, watches: () => watchesIn(clusters.entries, cluster), now, log, metrics }),
    onWritten: attributed(history, trouble),
  }));
  const tracing = await openTraces(config, log, metrics);
  const flowWiring = { redis, clusters: clusters.entries, log, metrics, now, replica: hostname() };
  const flows = config.flows === undefined ? undefined : startFlows(config.flows, flowWiring);
  const chained = chainedIn(config, redis, log);
  const home = connectionOf(connections, config.settings.clusters.home);
  const records = recordsIn(home, config);
  const fallback = withFallback(chained, records.sealed);
  const store = watchStore(redis, log, metrics);
  const services: Services = {
    settings: config.settings,
    clusters: tracedClusters(clusters.entries, tracing),
    ...fallback,
    tracing,
    canaries: createCanaries(redis),
    history: proven(history, fallback.operations),
    observations: createObservations(redis),
    ...(flows !== undefined && { flows: flows.services }),
    heartbeat: () => readHeartbeat(createRecords(home, config.settings.ownNamespace, "reaper")),
    timers: createTimers(redis),
    templates: openTemplates(config.templates, log, metrics),
    now,
    wait: (ms) => wait(ms),
    replica: hostname(),
    storeProblems: () => store.problems(),
    meter: meterOf(log, metrics),
  };
  const close = () => closeAll(clusters, tracing);
  return { services, store, journals: { redis: chained, fallback }, records, flows, close };
}

function openTraces({ traces }: Config, log: Logger, metrics: ReturnType<typeof createMetrics>) {
  return openTracing(traces, { replica: hostname(), onProblem: traceTrouble({ log, metrics }, Date.now) });
}

function recordsIn(home: Connection, { settings, slack }: Config): Kept {
  const all = createRecords(home, settings.ownNamespace);
  return { all, sealed: sealedRecords(all, slack.botToken ?? "") };
}

async function closeAll(clusters: { close(): Promise<void> }, tracing: OpenTracing | undefined): Promise<void> {
  await Promise.all([clusters.close(), tracing?.close(flushMs)]);
}

/** Of the five seconds that closing may take. */
const flushMs = 3_000;

function meterOf(log: Logger, metrics: ReturnType<typeof createMetrics>): Services["meter"] {
  return (event) => {
    metrics.meter(event);
    if (event.kind === "error") log.error({ where: event.where, error: event.message }, "error");
  };
}

function readinessNow({ slack }: Config, slackConnected: boolean, redisStatus: string, services: Services): Readiness {
  const watches = watchesIn(services.clusters, services.settings.clusters.home);
  return readinessOf({ mode: slack.mode, slackConnected, redisAnswers: redisStatus === "ready", watches });
}

/** What only a restart ends. */
function standstill(services: Services): readonly string[] {
  return areStuck(watchesOf(services), Date.now()) ? ["no watch has tried anything for five minutes"] : [];
}

function watchesIn(clusters: Services["clusters"], name: string): readonly WatchState[] {
  const cluster = clusters.get(name)?.cluster;
  return [...(cluster?.watches() ?? []), ...(cluster?.followedPolicies() ?? []).map(({ state }) => state)];
}

function watchesOf({ clusters }: Services): readonly WatchState[] {
  return [...clusters.values()].flatMap(({ cluster }) => cluster.watches());
}

function configText(path: string): string | undefined | null {
  return readText(path) ?? (existsSync(path) ? null : undefined);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
