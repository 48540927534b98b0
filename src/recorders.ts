import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Services } from "./commands/services.ts";
import type { History } from "./history/history.ts";
import type { Metrics } from "./metrics.ts";
import { type Recorder, startRecorder } from "./recorder.ts";
import { createEpoch } from "./scheduler/epoch.ts";
import { type Sweep, startSweep } from "./scheduler/sweep.ts";
import { historyTrouble, sweepTrouble } from "./trouble-log.ts";

const epochEveryMs = 1_000;
const compareEveryMs = 60_000;
const trimEveryMs = 10 * 60_000;

type Wiring = { readonly redis: Redis; readonly log: Logger; readonly metrics: Metrics };

/** Records what becomes of every policy of every cluster; compares every minute, and at once where Redis turns out to be empty. */
export function startRecorders(services: Services, wiring: Wiring): { stop(): Promise<void> } {
  const { history } = services;
  if (history === undefined) return { stop: async () => undefined };
  const recorders = startEach(services, history, wiring);
  const sweeps = startSweeps(recorders, { history, now: () => services.now() }, wiring);
  return {
    async stop() {
      await Promise.all([...sweeps, ...recorders.values()].map((one) => one.stop()));
    },
  };
}

function startEach(services: Services, history: History, { log, metrics }: Wiring) {
  const recorders = new Map<string, Recorder>();
  const onProblem = historyTrouble({ log, metrics });
  for (const [name, { cluster }] of services.clusters) {
    const recorder = startRecorder(cluster, {
      history,
      now: () => services.now(),
      ...sweepTrouble(`history of ${name}`, { log, metrics }),
      onProblem,
      identity: () => cluster.identity(),
      onRecorded: (lagMs) => metrics.recorded(lagMs),
      onOverflow() {
        metrics.recorderOverflow(name);
        log.warn({ cluster: name }, "more changes of policies wait to be recorded than may: they are compared instead");
      },
    });
    recorders.set(name, recorder);
  }
  return recorders;
}

type Swept = { readonly history: History; readonly now: () => number };

function startSweeps(
  recorders: ReadonlyMap<string, Recorder>,
  { history, now }: Swept,
  { redis, ...outlets }: Wiring,
): readonly Sweep[] {
  const epoch = createEpoch(redis);
  const sweep = (name: string, everyMs: number, work: () => Promise<void>) =>
    startSweep(everyMs, work, sweepTrouble(name, outlets));
  const compareAll = (): void => {
    for (const recorder of recorders.values()) recorder.compare();
  };
  return [
    sweep("history epoch", epochEveryMs, async () => {
      for (const [name, recorder] of recorders) outlets.metrics.unrecorded(name, recorder.waiting());
      if (await epoch.isNew()) compareAll();
      epoch.seen();
    }),
    sweep("history compare", compareEveryMs, async () => compareAll()),
    sweep("history trim", trimEveryMs, async () => void (await history.trim(now()))),
  ];
}
