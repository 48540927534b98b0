import type { FlowMetrics } from "./flow-metrics.ts";
import type { FlowSourceState } from "./flows/flow-source.ts";
import type { Batch, Ledger } from "./flows/ledger.ts";
import type { FlowItem } from "./flows/record.ts";
import type { FlowSink } from "./flows/sink.ts";

/** Told of what was taken, and of when it is in the ledger: `queue` and `write lag` come of it. */
export type FlowMeter = {
  /** The same sink, for sources of one kind; `onTaken` hears of what it took. */
  sink(
    sink: FlowSink,
    kind: FlowSourceState["kind"],
    onTaken?: (cluster: string, items: readonly FlowItem[]) => void,
  ): FlowSink;
  ledger(ledger: Ledger): Ledger;
};

/** `now`: milliseconds of a clock that only goes forward. */
export function createFlowMeter(metrics: FlowMetrics, now: () => number): FlowMeter {
  let waiting = { count: 0, sinceMs: now() };
  const written = new Map<string, typeof waiting>();

  /** What waited when a batch was made is in it. A batch that was not taken comes again by the same id. */
  const batched = ({ id }: Batch): typeof waiting => {
    const before = written.get(id);
    if (before !== undefined) return before;
    const batch = waiting;
    waiting = { count: 0, sinceMs: now() };
    written.set(id, batch);
    return batch;
  };
  const queue = (): void => {
    metrics.queue([...written.values()].reduce((sum, { count }) => sum + count, waiting.count));
  };
  return {
    sink: (sink, kind, onTaken) => ({
      take(cluster, items) {
        const isTaken = sink.take(cluster, items);
        metrics.brought(kind, items, isTaken);
        if (!isTaken) return false;
        if (waiting.count === 0) waiting = { count: 0, sinceMs: now() };
        waiting.count += items.length;
        queue();
        onTaken?.(cluster, items);
        return true;
      },
    }),
    ledger: (ledger) => ({
      ...ledger,
      async write(batch) {
        const { sinceMs } = batched(batch);
        await ledger.write(batch);
        written.delete(batch.id);
        queue();
        metrics.written(now() - sinceMs);
        metrics.evicted(batch.losses.reduce((sum, { kind, count }) => sum + (kind === "evicted" ? count : 0), 0));
      },
    }),
  };
}
