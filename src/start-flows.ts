import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { FlowServices } from "./commands/flow-services.ts";
import type { Services } from "./commands/services.ts";
import type { FlowsConfig } from "./config-flows.ts";
import { startFlowBoard } from "./flow-board.ts";
import { type Counting, startCounting } from "./flow-counting.ts";
import { createFlowMeter } from "./flow-meter.ts";
import { createFlowReceiver } from "./flow-receiver.ts";
import { startFlowSource } from "./flow-sources.ts";
import { createFlowStores } from "./flow-stores.ts";
import type { FlowSourceState } from "./flows/flow-source.ts";
import { createRedisLedger } from "./flows/redis-ledger.ts";
import { createSourceStates } from "./flows/source-states.ts";
import { createTurns } from "./flows/turns.ts";
import type { Metrics } from "./metrics.ts";
import type { Answerer } from "./probes.ts";
import { flowTrouble, sourceTrouble, sweepTrouble } from "./trouble-log.ts";

export type Flows = Pick<Counting, "interests" | "onSighting"> & {
  readonly services: FlowServices;
  /** For what agents post. */
  readonly answer: Answerer;
  /** Takes nothing more, and writes what was taken. */
  stop(): Promise<void>;
};

export type FlowWiring = {
  readonly redis: Redis;
  readonly clusters: Services["clusters"];
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly replica: string;
};

/**
 * Counts what flow sources tell. To be called before the clusters' first lists are there (feedFlows). Nothing is awaited, and nothing
 * fails here: a source that is down, or a store that is away, says so where it is asked for.
 */
export function startFlows(config: FlowsConfig, wiring: FlowWiring): Flows {
  const { redis, log, metrics, now } = wiring;
  const holder = `${wiring.replica}:${randomUUID()}`;
  const onProblem = flowTrouble({ log, metrics }, now);
  const sweep = (name: string) => sweepTrouble(name, { log, metrics });
  const states = createSourceStates(redis, holder);
  const turns = createTurns(redis, holder);
  const meter = createFlowMeter(metrics.flows, () => performance.now());
  let standing = (): readonly FlowSourceState[] => [];
  const board = startFlowBoard({
    standing: () => standing(),
    states,
    metrics: metrics.flows,
    now,
    ...sweep("flow sources"),
  });
  const ledger = meter.ledger(board.ledger(createRedisLedger(redis, config)));
  const clusters = [...wiring.clusters.values()].map(({ cluster }) => cluster);
  const counting = startCounting({ clusters, ledger, holder, now, onProblem, sweep: sweep("Services for flows") });
  const sinkFor = (kind: FlowSourceState["kind"]) => meter.sink(counting.sink, kind);
  const receiver = createFlowReceiver({ tokens: tokensOf(config), sink: sinkFor("push"), now, onProblem });
  const onState = sourceTrouble(log, now);
  const following = { turns, states, now, sinkFor, interests: counting.interests, onState };
  const sources = config.sources.map((source) =>
    startFlowSource(source, {
      ...following,
      ...sweep(`flow source ${source.name}`),
    }),
  );
  standing = () => [...sources.map((source) => source.state()), ...receiver.states()];
  return {
    services: { ledger, ...createFlowStores(redis), sources: () => board.all() },
    interests: counting.interests,
    onSighting: (listener) => counting.onSighting(listener),
    answer: receiver.answer,
    async stop() {
      await Promise.all([board.stop(), ...sources.map((source) => source.stop())]);
      await counting.stop();
      await board
        .tell()
        .then(() => Promise.all(sources.map((source) => source.release())))
        .catch(onProblem);
    },
  };
}

function tokensOf({ receiver }: FlowsConfig): ReadonlyMap<string, string> {
  return new Map([...receiver].flatMap(([cluster, token]) => (token === undefined ? [] : [[cluster, token]])));
}
