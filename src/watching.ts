import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { createAlertmanager } from "./alertmanager.ts";
import type { Outlet } from "./commands/desk.ts";
import type { Services } from "./commands/services.ts";
import { createSpikeWatch } from "./commands/spike-watch.ts";
import type { Config } from "./config.ts";
import { createSpikeStore } from "./flows/spike-store.ts";
import { createTurns } from "./flows/turns.ts";
import type { Metrics } from "./metrics.ts";
import { startSweep } from "./scheduler/sweep.ts";
import { sweepTrouble } from "./trouble-log.ts";

type Wiring = {
  readonly config: Pick<Config, "watch">;
  readonly services: Services;
  readonly redis: Redis;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly outletIn: (channel: string) => Outlet;
};

/** A turn lasts 3.5 s (flows/turns.ts). */
const everyMs = 1_000;

/** Watches each cluster for spikes, one replica at a time; another one goes on where it stops. Without flows there is nothing. */
export function startWatching({ config, services, redis, log, metrics, outletIn }: Wiring): { stop(): Promise<void> } {
  const { flows } = services;
  if (flows === undefined) return { stop: () => Promise.resolve() };
  const turns = createTurns(redis, `${services.replica}:${randomUUID()}`);
  const { channels, alertmanagers, runbookUrl, pace } = config.watch;
  const alertmanager = createAlertmanager(alertmanagers);
  const alert = async (alerts: Parameters<typeof alertmanager.send>[0]): Promise<void> => {
    const problems = await alertmanager.send(alerts);
    metrics.spikes.untaken(problems.length);
    for (const problem of problems) log.warn({ where: "alerts", error: problem }, "Alertmanager");
  };
  const store = createSpikeStore(redis);
  const watch = createSpikeWatch({
    services,
    flows,
    store,
    channels,
    outletIn,
    alert,
    runbookUrl,
    pace,
    meter: metrics.spikes,
  });
  const sweeps = [...services.clusters.keys()].map((cluster) =>
    startSweep(
      everyMs,
      async () => {
        if (await turns.take(`spikes of ${cluster}`)) await watch.sweep(cluster);
        else metrics.spikes.elsewhere(cluster);
      },
      sweepTrouble(`spikes of ${cluster}`, { log, metrics }),
    ),
  );
  return {
    async stop() {
      await Promise.all(sweeps.map((sweep) => sweep.stop()));
      await Promise.all([...services.clusters.keys()].map((cluster) => turns.release(`spikes of ${cluster}`))).catch(
        () => undefined,
      );
    },
  };
}
