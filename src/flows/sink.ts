import type { FlowItem } from "./record.ts";

/** Where every source puts what it reads, pushed or pulled. */
export type FlowSink = {
  /**
   * False where as much waits already as may: nothing of it was taken then, and whoever brought it keeps it and comes again
   * (a receiver answers 429, a puller waits). `cluster` is the name that configuration gives it.
   */
  take(cluster: string, items: readonly FlowItem[]): boolean;
};
