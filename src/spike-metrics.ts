import { Counter, Gauge, type Registry } from "prom-client";
import type { Spike } from "./flows/spike.ts";

/** Of one minute. `counts`: of its pairs, in any order. */
export type DeniedMinute = { readonly perMinute: number; readonly counts: readonly number[] };

/** What is told of spikes, and what is denied in a minute. Labels are names of configured clusters, and closed sets. */
export type SpikeMetrics = {
  begun(spike: Spike): void;
  /** Of a cluster after a minute that was judged: how many go on, and how much was denied in it. */
  judged(cluster: string, open: number, denied: DeniedMinute): void;
  /** How many Alertmanagers did not take what was sent. */
  untaken(count: number): void;
};

/** Names of pairs are no labels: they come from outside, and there is no end of them. */
const ranks = [1, 2, 3, 4, 5] as const;

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
  const byRank = new Gauge({
    name: "bulkhead_denied_top_per_minute",
    help: "The same of the pairs with the most, by rank: which they are, /np flows says",
    labelNames: ["cluster", "rank"],
    registers,
  });
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
      pairs.set({ cluster }, denied.counts.length);
      const top = denied.counts.toSorted((a, b) => b - a);
      for (const rank of ranks) byRank.set({ cluster, rank }, top[rank - 1] ?? 0);
    },
    untaken: (count) => untaken.inc(count),
  };
}
