import { existsSync, readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { hostname } from "node:os";
import { type Logger, pino } from "pino";
import { cardNow } from "./commands/card-now.ts";
import { createDesk } from "./commands/run.ts";
import type { Services } from "./commands/services.ts";
import { createTakeover, type Takeover } from "./commands/takeover.ts";
import { slackDispatcher } from "./composition.ts";
import { type Config, configPath, readConfig } from "./config.ts";
import { startFlowWatching } from "./flow-watching.ts";
import { createKubeAudit } from "./kube-audit.ts";
import { areStuck, type WatchState } from "./kubernetes/watch-progress.ts";
import { logLines } from "./log-lines.ts";
import { createMetrics } from "./metrics.ts";
import { startNets } from "./nets.ts";
import { startObserving } from "./observing.ts";
import { openServices, watchesIn } from "./open-services.ts";
import type { Operation } from "./policy/operation.ts";
import { type Answerer, startProbes } from "./probes.ts";
import { type Readiness, readinessOf } from "./readiness.ts";
import { startRecorders } from "./recorders.ts";
import { connectRedis, untilReady } from "./redis.ts";
import { createShelf, type Shelf } from "./scheduler/shelf.ts";
import { shutDown } from "./shutdown.ts";
import { type Slack, startSlack } from "./slack/receive.ts";
import { slackConfig } from "./slack-settings.ts";
import { startStanding } from "./standing.ts";
import { type Journals, startSweeps } from "./sweeps.ts";
import { historyTrouble, redisTrouble, sweepTrouble } from "./trouble-log.ts";
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
  const surroundings = { config, redis, log, metrics, env: process.env, replica: hostname() };
  const { services, store, journals, records, flows, close } = await openServices(surroundings);
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

/** What every replica knows, whichever of them brought it about. */
function shared(services: Services, shelf: Shelf) {
  return { shelf, redraw: (operation: string) => cardNow(services, operation) };
}

function readinessNow({ slack }: Config, slackConnected: boolean, redisStatus: string, services: Services): Readiness {
  const watches = watchesIn(services.clusters, services.settings.clusters.home);
  return readinessOf({ mode: slack.mode, slackConnected, redisAnswers: redisStatus === "ready", watches });
}

/** What only a restart ends. */
function standstill(services: Services): readonly string[] {
  return areStuck(watchesOf(services), Date.now()) ? ["no watch has tried anything for five minutes"] : [];
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
