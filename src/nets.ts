import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { createNets, type NetParts, type Nets } from "./commands/allowance-nets.ts";
import { createDriftWatch } from "./commands/drift-watch.ts";
import type { Services } from "./commands/services.ts";
import type { Metrics } from "./metrics.ts";
import { createEpoch } from "./scheduler/epoch.ts";
import { startSweep } from "./scheduler/sweep.ts";
import { startTimerWorker } from "./scheduler/timer-worker.ts";
import { createTimers } from "./scheduler/timers.ts";
import { sweepTrouble } from "./trouble-log.ts";

const sweepEveryMs = 15_000;
const epochEveryMs = 1_000;

type Wiring = NetParts & {
  readonly redis: Redis;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/**
 * Everything on this replica that ends allowances: the worker of the timers in Redis, the timers of this process, a timed
 * LIST of each cluster by itself, and at once where Redis turns out to be empty. And what tells where the cluster is not as
 * operations hold it, by watches and by a timed look at each cluster.
 */
export function startNets({ redis, log, metrics, ...parts }: Wiring): { stop(): Promise<void> } {
  const nets = createNets(parts);
  const epoch = createEpoch(redis);
  const trouble = (name: string) => sweepTrouble(name, { log, metrics });
  const worker = startTimerWorker(createTimers(redis), (timer) => nets.onTimer(timer), {
    ...trouble("timers"),
    onFailure: (timer, error) =>
      metrics.meter({ kind: "error", where: "timer", message: `${timer.id}: ${String(error)}` }),
  });
  const sweeps = [...parts.services.clusters.keys()].map((cluster) =>
    startSweep(sweepEveryMs, () => nets.sweep(cluster), trouble(`allowances of ${cluster}`)),
  );
  const healing = startSweep(
    epochEveryMs,
    async () => {
      if (!(await epoch.isNew())) return;
      await nets.sweep();
      epoch.seen();
    },
    trouble("epoch"),
  );
  const drift = createDriftWatch(parts);
  const looks = [...parts.services.clusters.keys()].map((cluster) =>
    startSweep(sweepEveryMs, () => drift.sweep(cluster), trouble(`drift in ${cluster}`)),
  );
  const importing = startSweep(sweepEveryMs, importOf(parts.services, nets), trouble("reaper"));
  return {
    async stop() {
      const all = [importing, worker, healing, ...sweeps, ...looks];
      await Promise.all(all.map((one) => one.stop()));
      await Promise.all([nets.stop(), drift.stop()]);
    },
  };
}

function importOf(services: Services, nets: Nets): () => Promise<void> {
  return async () => {
    const heartbeat = await services.heartbeat?.();
    if (heartbeat !== undefined) nets.importReaped(heartbeat);
  };
}
