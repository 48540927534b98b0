import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { createFlowLooks, type FlowLooksParts } from "./commands/flow-looks.ts";
import type { Services } from "./commands/services.ts";
import { createTurns } from "./flows/turns.ts";
import type { Metrics } from "./metrics.ts";
import { startSweep } from "./scheduler/sweep.ts";
import { sweepTrouble } from "./trouble-log.ts";

type Wiring = Pick<FlowLooksParts, "outletIn" | "vouch"> & {
  readonly services: Services;
  readonly redis: Redis;
  readonly log: Logger;
  readonly metrics: Metrics;
};

const everyMs = 1_000;

/** Looks at what is watched in channels, beside all other replicas. Without flows there is nothing. */
export function startFlowWatching({ services, redis, log, metrics, outletIn, vouch }: Wiring): {
  stop(): Promise<void>;
} {
  const { flows } = services;
  if (flows === undefined) return { stop: () => Promise.resolve() };
  const turns = createTurns(redis, `${services.replica}:${randomUUID()}`);
  const looks = createFlowLooks({ services, flows, turns, outletIn, vouch });
  return startSweep(everyMs, () => looks.sweep(), sweepTrouble("watched channels", { log, metrics }));
}
