import type { FlowItem, FlowRecord } from "../../src/flows/record.ts";
import type { FlowSink } from "../../src/flows/sink.ts";

/** A sink that keeps what it took, for as long as it is not full. */
export type KeepingSink = FlowSink & {
  readonly items: FlowItem[];
  full: boolean;
  /** How often it refused. */
  refused: number;
  records(): readonly FlowRecord[];
  /** How many events were lost, by the items that say so. */
  lost(): number;
};

export function keepingSink(): KeepingSink {
  const items: FlowItem[] = [];
  return {
    items,
    full: false,
    refused: 0,
    take(_cluster, more) {
      if (this.full) this.refused += 1;
      else items.push(...more);
      return !this.full;
    },
    records: () => items.flatMap((item) => (item.kind === "flow" ? [item.record] : [])),
    lost: () => items.reduce((sum, item) => sum + (item.kind === "lost" ? item.count : 0), 0),
  };
}
