import type { FlowItem } from "./record.ts";
import type { FlowSink } from "./sink.ts";

/** A stream that can be told to wait: HTTP/2 then makes the server wait. */
export type Reader = { pause(): unknown; resume(): unknown };

/** Brings items to a sink by the batch, and lets the readers wait for as long as the sink takes none. */
export type Funnel = {
  put(item: FlowItem): void;
  /** From now on it waits with the others; returns what ends that. */
  attach(reader: Reader): () => void;
  /** Tries once more to be rid of what is left, and puts no more. */
  stop(): void;
};

const batchSize = 256;
/** How long a sink that is full is left alone, milliseconds. */
const pauseMs = 50;

/** Holds one batch, and what readers had in their own buffers when they were told to wait. */
export function createFunnel(cluster: string, sink: FlowSink): Funnel {
  const readers = new Set<Reader>();
  let batch: FlowItem[] = [];
  let soon: NodeJS.Immediate | undefined;
  let later: NodeJS.Timeout | undefined;

  function flush(): void {
    clearImmediate(soon);
    soon = undefined;
    if (batch.length === 0 || sink.take(cluster, batch)) return free();
    if (later === undefined) for (const reader of readers) reader.pause();
    later = setTimeout(flush, pauseMs);
  }

  function free(): void {
    batch = [];
    if (later === undefined) return;
    clearTimeout(later);
    later = undefined;
    for (const reader of readers) reader.resume();
  }

  return {
    put(item) {
      batch.push(item);
      if (later !== undefined) return;
      if (batch.length >= batchSize) return flush();
      soon ??= setImmediate(flush);
    },
    attach(reader) {
      readers.add(reader);
      if (later !== undefined) reader.pause();
      return () => readers.delete(reader);
    },
    stop() {
      clearImmediate(soon);
      clearTimeout(later);
      readers.clear();
      if (batch.length > 0) sink.take(cluster, batch);
      batch = [];
    },
  };
}
