import { createAuditLog } from "./audit/log.ts";
import { templatesOf } from "./bot-templates.ts";
import { readHeartbeat } from "./commands/heartbeat.ts";
import { createLaptopJournal, type Journal } from "./commands/laptop.ts";
import { proven } from "./commands/proven.ts";
import type { Services } from "./commands/services.ts";
import { type Connections, connectCluster, openClusters, sharedConfig } from "./composition.ts";
import { type ClusterConfig, type Config, type Environment, readConfig } from "./config.ts";
import { isInPod } from "./config-kubeconfig.ts";
import { readFlows } from "./flow-reading.ts";
import { createHistory } from "./history/history.ts";
import { readConfigMap } from "./kubernetes/config-map.ts";
import type { Connection } from "./kubernetes/connection.ts";
import { whoIs } from "./kubernetes/identity.ts";
import { createRecords } from "./kubernetes/records.ts";
import type { Principal } from "./policy/principal.ts";
import { connectRedis, untilReady } from "./redis.ts";
import { createCanaries } from "./scheduler/enforcement.ts";
import { createIncidents } from "./scheduler/incidents.ts";
import { createLeases } from "./scheduler/leases.ts";
import { createLimits } from "./scheduler/limits.ts";
import { createObservations } from "./scheduler/observations.ts";
import { createOperations } from "./scheduler/operations.ts";
import { createTimers } from "./scheduler/timers.ts";
import { loadTemplates } from "./templates.ts";

/** How long a terminal waits for Redis before it goes on without. */
const redisWithinMs = 2_000;

export type TerminalOptions = {
  readonly env: Environment;
  /** Text of the configuration file; undefined where there is none, and then the cluster's copy is read. */
  readonly configText: string | undefined;
  readonly read: (path: string) => string | undefined;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly host: string;
};

/** A terminal that is ready to run commands. */
export type Terminal = {
  readonly services: Services;
  readonly principal: Principal;
  readonly source: "terminal" | "in-pod";
  /** Whether Redis is reached; without it the intent goes into a ConfigMap. */
  readonly connected: boolean;
  close(): Promise<void>;
};

/**
 * Connects a terminal: with the caller's own kubeconfig and rights on a laptop, as the shared in-pod principal in the
 * container. Problems of the configuration are a value; a cluster that cannot be reached throws.
 */
export async function openTerminal(
  options: TerminalOptions,
): Promise<Terminal | { readonly problems: readonly string[] }> {
  const { env, now } = options;
  const first = readConfig(env, options.configText, options.read);
  if ("problems" in first) return first;
  const own = homeConnection(first.config, options);
  const text = options.configText ?? (await clusterCopy(own, first.config.settings.ownNamespace));
  const loaded = readConfig(env, text, options.read);
  if ("problems" in loaded) return loaded;
  const { config } = loaded;
  const connections = connectionsOf(config, own, options);
  const source = isInPod(env) ? "in-pod" : "terminal";
  const principal: Principal =
    source === "in-pod" ? { kind: "in-pod" } : { kind: "terminal", ...(await whoIs(own, config.terminalUser)) };
  const { journal, connected, release } = await openJournal(config, own, source, now);
  const clusters = openClusters(config.clusters, connections, () => ({ now, watch: false }));
  const templates = loadTemplates(config.templates);
  const services: Services = {
    settings: config.settings,
    clusters: clusters.entries,
    ...journal,
    templates: templatesOf(() => templates),
    heartbeat: () => readHeartbeat(createRecords(own, config.settings.ownNamespace, "reaper")),
    now,
    wait: options.wait,
    replica: `terminal:${options.host}`,
    meter: () => undefined,
  };
  return {
    services,
    principal,
    source,
    connected,
    async close() {
      release();
      await clusters.close();
    },
  };
}

/** Connects to the cluster that the bot is in; on a laptop without a configuration that is kubectl's current one. */
function homeConnection({ clusters, settings }: Config, { env, now }: TerminalOptions): Connection {
  const home = clusters.find(({ name }) => name === settings.clusters.home);
  if (home === undefined) throw new Error(`cluster ${settings.clusters.home} is not configured`);
  return connectCluster(home, env, now);
}

/**
 * How each cluster is reached from here. Where the configuration came out of the cluster its kubeconfigs are files of the
 * bot's pod: another cluster is then the context of the caller's own kubeconfig that bears the configured context's
 * name, else the cluster's.
 */
function connectionsOf({ clusters, settings }: Config, own: Connection, options: TerminalOptions): Connections {
  const { env, now, configText } = options;
  return new Map(
    clusters.map((cluster) => {
      if (cluster.name === settings.clusters.home) return [cluster.name, own];
      const here = configText === undefined ? mine(cluster) : cluster;
      return [cluster.name, connectCluster(here, env, now)];
    }),
  );
}

function mine(cluster: ClusterConfig): ClusterConfig {
  return { ...cluster, kubeconfig: undefined, context: cluster.context ?? cluster.name };
}

/** The configuration as the bot has it, so that a laptop goes by the same access section. */
async function clusterCopy(connection: Connection, namespace: string): Promise<string | undefined> {
  const data = await readConfigMap(connection, namespace, sharedConfig.name);
  return data?.[sharedConfig.key];
}

type OpenJournal = {
  readonly journal: Journal & Pick<Services, "canaries" | "timers" | "history" | "flows" | "observations">;
  readonly connected: boolean;
  readonly release: () => void;
};

/** Redis where it is configured and answers; else, on a laptop, ConfigMaps of the bot's namespace. */
async function openJournal(
  { redisUrl, redisAccess, settings, history, flows }: Config,
  connection: Connection,
  source: Terminal["source"],
  now: () => number,
): Promise<OpenJournal> {
  const laptop = createLaptopJournal(createRecords(connection, settings.ownNamespace));
  if (redisUrl === undefined) return { journal: laptop, connected: false, release: () => undefined };
  const redis = connectRedis(redisUrl, { onError: () => undefined, access: redisAccess });
  const release = (): void => redis.disconnect();
  const operations = createOperations(redis, { now });
  const chained = {
    operations,
    leases: createLeases(redis),
    incidents: createIncidents(redis),
    canaries: createCanaries(redis),
    limits: createLimits(redis),
    timers: createTimers(redis),
    history: proven(createHistory(redis, history), operations),
    observations: createObservations(redis),
    audit: createAuditLog(redis, { onEntry: () => undefined }),
  };
  const connected = await untilReady(redis, redisWithinMs);
  const seen = connected ? await readFlows(redis, flows, now) : {};
  if (connected || source === "in-pod") return { journal: { ...chained, ...seen }, connected, release };
  return { journal: laptop, connected, release };
}
