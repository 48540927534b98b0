import { Counter, Gauge, type Registry } from "prom-client";
import type { Spike } from "./flows/spike.ts";

/** What is told of spikes, and what is denied in a minute. Labels are names of configured clusters, and closed sets. */
export type SpikeMetrics = {
  begun(spike: Spike): void;
  /** Of a cluster after a minute that was judged: how many go on, and how much was denied in it. */
  judged(cluster: string, open: number, denied: { readonly perMinute: number; readonly pairs: number }): void;
  /** How many Alertmanagers did not take what was sent. */
  untaken(count: number): void;
};

/** Registers them. */
export function createSpikeMetrics(registry: Registry): SpikeMetrics {
  const registers = [registry];
  const labelNames = ["cluster"] as const;
  const told = new Counter({
    name: "bulkhead_spikes_total",
    help: "Spikes of denied flows that began",
    labelNames: ["cluster", "kind"],
    registers,
  });
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers });
  const open = gauge("bulkhead_spikes_open", "Spikes of denied flows that go on");
  const perMinute = gauge("bulkhead_denied_per_minute", "Flows denied in the last minute that was judged");
  const pairs = gauge("bulkhead_denied_pairs", "Pairs denied in the last minute that was judged");
  const untaken = new Counter({
    name: "bulkhead_alerts_untaken_total",
    help: "Alertmanagers that took nothing",
    registers,
  });
  return {
    begun: ({ cluster, kind }) => told.inc({ cluster, kind }),
    judged(cluster, going, denied) {
      for (const kind of ["spike", "new", "scan"]) told.inc({ cluster, kind }, 0);
      open.set({ cluster }, going);
      perMinute.set({ cluster }, denied.perMinute);
      pairs.set({ cluster }, denied.pairs);
    },
    untaken: (count) => untaken.inc(count),
  };
}
