import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { FlowSourceState } from "./flows/flow-source.ts";
import type { FlowItem } from "./flows/record.ts";

type Kind = FlowSourceState["kind"];

/** What is counted of flows. Labels are from closed sets, and names of clusters and sources as configuration has them. */
export type FlowMetrics = {
  /** What a source brought, and whether the sink took it. */
  brought(kind: Kind, items: readonly FlowItem[], wasTaken: boolean): void;
  /** Forgets a source that another replica has. */
  source(state: FlowSourceState): void;
  queue(length: number): void;
  /** How long after it was taken the oldest of a batch was in Redis, milliseconds. */
  written(lagMs: number): void;
  evicted(count: number): void;
};

/** Registers them. */
export function createFlowMetrics(registry: Registry): FlowMetrics {
  const { records, unread, lost, refused, evicted } = countersOf(registry);
  const { queue, lag, up } = gaugesOf(registry);
  return {
    brought(source, items, wasTaken) {
      if (!wasTaken) return refused.inc({ source });
      for (const { labels, count } of tallied(items)) records.inc({ source, ...labels }, count);
      for (const item of items) {
        if (item.kind === "lost") lost.inc({ source }, item.count);
        if (item.kind === "unreadable" || item.kind === "unsupported") unread.inc({ source, why: item.kind });
      }
    },
    source({ cluster, name, state }) {
      if (state === "elsewhere") up.remove({ cluster, source: name });
      else up.set({ cluster, source: name }, state === "connected" ? 1 : 0);
    },
    queue: (length) => queue.set(length),
    written: (lagMs) => lag.observe(Math.max(0, lagMs) / 1_000),
    evicted: (count) => evicted.inc(count),
  };
}

function countersOf(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    records: counter("bulkhead_flow_records_total", "Flows as they came", ["source", "format", "verdict"]),
    unread: counter("bulkhead_flow_unread_total", "Lines that were not read", ["source", "why"]),
    lost: counter("bulkhead_flow_lost_total", "Events that sources lost", ["source"]),
    refused: counter("bulkhead_flow_refused_total", "Batches that were not taken", ["source"]),
    evicted: counter("bulkhead_flow_evicted_total", "Counts whose key was given up", []),
  };
}

function gaugesOf(registry: Registry) {
  const registers = [registry];
  return {
    queue: new Gauge({ name: "bulkhead_flow_queue", help: "Flows taken and not in Redis yet", registers }),
    up: new Gauge({
      name: "bulkhead_flow_source_up",
      help: "Whether a source is connected",
      labelNames: ["cluster", "source"],
      registers,
    }),
    lag: new Histogram({
      name: "bulkhead_flow_write_lag_seconds",
      help: "A flow taken to being in Redis",
      buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
  };
}

/** By labels first: a batch has hundreds of records and a few kinds of them. */
function tallied(items: readonly FlowItem[]) {
  const tallies = new Map<string, { readonly labels: { format: string; verdict: string }; count: number }>();
  for (const item of items) {
    if (item.kind !== "flow") continue;
    const { format, verdict } = item.record;
    const tally = tallies.get(`${format} ${verdict.kind}`);
    if (tally === undefined)
      tallies.set(`${format} ${verdict.kind}`, { labels: { format, verdict: verdict.kind }, count: 1 });
    else tally.count += 1;
  }
  return tallies.values();
}
