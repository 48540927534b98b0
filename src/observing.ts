import type { Logger } from "pino";
import { createObserver, type ObserverParts } from "./commands/observe.ts";
import type { Services } from "./commands/services.ts";
import type { Metrics } from "./metrics.ts";
import { startSweep } from "./scheduler/sweep.ts";
import type { Flows } from "./start-flows.ts";
import { sweepTrouble } from "./trouble-log.ts";

type Wiring = Pick<ObserverParts, "outletFor"> & {
  readonly services: Services;
  readonly log: Logger;
  readonly metrics: Metrics;
};

const observeEveryMs = 1_500;

/** Holds what flows show against what is in force. `stop` ends the flows too, and writes what they told; without flows there is nothing. */
export function startObserving(
  flows: Flows | undefined,
  { services, outletFor, log, metrics }: Wiring,
): { stop(): Promise<void> } {
  const { observations } = services;
  if (flows === undefined || observations === undefined) return { stop: async () => flows?.stop() };
  const observer = createObserver({ services: { ...services, observations }, outletFor, interests: flows.interests });
  flows.onSighting((sighting) => observer.saw(sighting));
  const looking = startSweep(observeEveryMs, () => observer.sweep(), sweepTrouble("observing", { log, metrics }));
  return {
    async stop() {
      await looking.stop();
      await flows.stop();
      await observer.stop();
    },
  };
}
