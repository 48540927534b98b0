import { setTimeout as wait } from "node:timers/promises";
import type { FlowItem } from "./record.ts";
import type { FlowSink } from "./sink.ts";

const batchSize = 1_000;
/** How long a sink that is full is left alone, milliseconds. */
const pauseMs = 50;

/** Waits until a sink has taken everything; resolves false where it was stopped before. */
export async function untilTaken(
  sink: FlowSink,
  cluster: string,
  items: readonly FlowItem[],
  stopped: AbortSignal,
): Promise<boolean> {
  for (let at = 0; at < items.length; at += batchSize)
    while (!sink.take(cluster, items.slice(at, at + batchSize))) {
      if (stopped.aborted) return false;
      await wait(pauseMs, undefined, { signal: stopped }).catch(() => undefined);
    }
  return true;
}
