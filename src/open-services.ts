import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import { openAudit } from "./bot-audit.ts";
import { openTemplates } from "./bot-templates.ts";
import type { Kept } from "./commands/adopt.ts";
import { attributed } from "./commands/attributed.ts";
import { withFallback } from "./commands/fallback.ts";
import { readHeartbeat } from "./commands/heartbeat.ts";
import { proven } from "./commands/proven.ts";
import { sealedRecords } from "./commands/seal.ts";
import type { Services } from "./commands/services.ts";
import { connectCluster, connectionOf, openClusters } from "./composition.ts";
import type { Config } from "./config.ts";
import { createHistory } from "./history/history.ts";
import type { Connection } from "./kubernetes/connection.ts";
import { createRecords } from "./kubernetes/records.ts";
import type { WatchState } from "./kubernetes/watch-progress.ts";
import type { createMetrics } from "./metrics.ts";
import { authorsOf } from "./policy/authors.ts";
import type { connectRedis } from "./redis.ts";
import { type RedisWatch, watchRedis } from "./redis-check.ts";
import { createCanaries } from "./scheduler/enforcement.ts";
import { createIncidents } from "./scheduler/incidents.ts";
import { createLeases } from "./scheduler/leases.ts";
import { createLimits } from "./scheduler/limits.ts";
import { createObservations } from "./scheduler/observations.ts";
import { createOperations } from "./scheduler/operations.ts";
import { createTimers } from "./scheduler/timers.ts";
import { type Flows, startFlows } from "./start-flows.ts";
import type { Journals } from "./sweeps.ts";
import { tracedClusters } from "./traced-clusters.ts";
import { type OpenTracing, openTracing } from "./tracing.ts";
import { historyTrouble, traceTrouble, watchTrouble } from "./trouble-log.ts";

type Surroundings = {
  readonly config: Config;
  readonly redis: ReturnType<typeof connectRedis>;
  readonly log: Logger;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** The process's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** This replica's name. */
  readonly replica: string;
};

/** What a replica works with, and what of it `main.ts` wires further. */
export type Opened = {
  readonly services: Services;
  readonly store: RedisWatch;
  readonly journals: Journals;
  readonly records: Kept;
  /** Undefined where no flows are configured. */
  readonly flows: Flows | undefined;
  readonly close: () => Promise<void>;
};

/** Connects to the clusters of the configuration, and puts together what every command goes by. Throws where a cluster's credentials cannot be read. */
export async function openServices({ config, redis, log, metrics, env, replica }: Surroundings): Promise<Opened> {
  const now = Date.now;
  const connections = new Map(config.clusters.map((one) => [one.name, connectCluster(one, env, now)]));
  const trouble = historyTrouble({ log, metrics });
  const history = createHistory(redis, { ...config.history, authors: authorsOf, onProblem: trouble });
  const clusters = openClusters(config.clusters, connections, (cluster) => ({
    now,
    watch: true,
    onProblem: watchTrouble({ cluster, watches: () => watchesIn(clusters.entries, cluster), now, log, metrics }),
    onWritten: attributed(history, trouble),
  }));
  const tracing = await openTraces(config, { log, metrics, replica });
  const flowWiring = { redis, clusters: clusters.entries, log, metrics, now, replica };
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
    replica,
    storeProblems: () => store.problems(),
    meter: meterOf(log, metrics),
  };
  const close = () => closeAll(clusters, tracing);
  return { services, store, journals: { redis: chained, fallback }, records, flows, close };
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

function openTraces({ traces }: Config, { log, metrics, replica }: Pick<Surroundings, "log" | "metrics" | "replica">) {
  return openTracing(traces, { replica, onProblem: traceTrouble({ log, metrics }, Date.now) });
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

/** A setting of the server under which something may be lost is said as long as it is so: log, metric, /np status. */
function watchStore(redis: ReturnType<typeof connectRedis>, log: Logger, metrics: ReturnType<typeof createMetrics>) {
  return watchRedis(redis, ({ problems, unknown }) => {
    metrics.storeProblems(problems.length);
    if (problems.length > 0) log.error({ problems, unknown }, "Redis is not set up as it has to be");
    else log.info({ unknown }, "Redis is set up as it has to be");
  });
}

/** The states of that cluster's watches, those of its policies among them; empty for a cluster that there is not. */
export function watchesIn(clusters: Services["clusters"], name: string): readonly WatchState[] {
  const cluster = clusters.get(name)?.cluster;
  return [...(cluster?.watches() ?? []), ...(cluster?.followedPolicies() ?? []).map(({ state }) => state)];
}
