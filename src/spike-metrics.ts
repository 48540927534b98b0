import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { betweenWords } from "./commands/flow-words.ts";
import { denyingWords } from "./commands/spike-words.ts";
import type { Counted, Spike, SpikeEnd } from "./flows/spike.ts";
import { createRanking } from "./ranking.ts";

/** What is told of spikes, and what is denied in a minute. Labels are names of configured clusters, and closed sets. */
export type SpikeMetrics = {
  begun(spike: Spike): void;
  ended(end: SpikeEnd): void;
  /** Of a cluster after a minute that was judged: how many go on, and what was denied in it. */
  judged(cluster: string, open: number, counted: readonly Counted[]): void;
  /** Forgets how a cluster stands that another replica judges: what stood here would stand for ever. */
  elsewhere(cluster: string): void;
  /** How many Alertmanagers did not take what was sent. */
  untaken(count: number): void;
};

/** Registers them. `names`: whether the few with the most bear names of workloads and policies, for all who read metrics. */
export function createSpikeMetrics(registry: Registry, names: boolean): SpikeMetrics {
  const registers = [registry];
  const told = new Counter({
    name: "bulkhead_spikes_total",
    help: "Spikes of denied flows that began; expected: cut off by an operation in force",
    labelNames: ["cluster", "kind"],
    registers,
  });
  const lasted = new Histogram({
    name: "bulkhead_spike_duration_seconds",
    help: "Spikes of denied flows, from their beginning to quiet",
    buckets: [60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600, 86_400],
    registers,
  });
  const untaken = new Counter({
    name: "bulkhead_alerts_untaken_total",
    help: "Alertmanagers that took nothing",
    registers,
  });
  const standing = createStanding(registry, names);
  return {
    begun: ({ cluster, kind }) => told.inc({ cluster, kind }),
    ended({ spike, why, sinceMs }) {
      if (why === "quiet") lasted.observe(Math.max(0, sinceMs - spike.sinceMs) / 1_000);
    },
    judged(cluster, open, counted) {
      for (const kind of ["spike", "new", "scan", "expected"]) told.inc({ cluster, kind }, 0);
      standing.set(cluster, open, counted);
    },
    elsewhere: (cluster) => standing.clear(cluster),
    untaken: (count) => untaken.inc(count),
  };
}

function createStanding(registry: Registry, names: boolean) {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ["cluster"] as const, registers: [registry] });
  const open = gauge("bulkhead_spikes_open", "Spikes of denied flows that go on, without expected ones");
  const perMinute = gauge("bulkhead_denied_per_minute", "Flows denied in the last minute that was judged");
  const pairs = gauge("bulkhead_denied_pairs", "Pairs denied in the last minute that was judged");
  const top = "bulkhead_denied_top_per_minute";
  const byPair = createRanking(registry, { name: top, help: "The same of the pairs with the most", of: "pair" });
  const policies = "bulkhead_denied_policy_top_per_minute";
  const byPolicy = createRanking(registry, { name: policies, help: "The same by what denies", of: "policy" });
  const named = (words: string): string => (names ? words : "");
  return {
    set(cluster: string, going: number, counted: readonly Counted[]) {
      open.set({ cluster }, going);
      perMinute.set({ cluster }, sum(counted));
      pairs.set({ cluster }, counted.length);
      const ranked = counted.map((one) => ({ name: named(betweenWords(of(one), undefined)), count: one.count }));
      byPair.set(cluster, ranked);
      const grouped = Map.groupBy(counted, ({ key }) => denyingWords(key));
      byPolicy.set(
        cluster,
        [...grouped].map(([words, all]) => ({ name: named(words), count: sum(all) })),
      );
    },
    clear(cluster: string) {
      for (const one of [open, perMinute, pairs]) one.remove({ cluster });
      for (const one of [byPair, byPolicy]) one.clear(cluster);
    },
  };
}

function of({ key }: Counted) {
  return { key, dnsQuery: undefined };
}

function sum(counted: readonly Counted[]): number {
  return counted.reduce((total, { count }) => total + count, 0);
}
