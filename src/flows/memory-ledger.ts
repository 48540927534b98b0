import { addLoss, addTo, type Bucket, createBucket, entriesOf, lossesOf } from "./bucket.ts";
import type { Batch, Ledger } from "./ledger.ts";
import { createView } from "./view.ts";

const minuteMs = 60_000;
/** Two days. */
const mostMinutes = 2_880;
const mostKeys = 4_096;
const mostBatches = 1_000;

type Kept = { readonly minutes: Map<number, Bucket>; sinceMs: number; lastHeardMs: number };

/** What one process counted, for as long as it runs: for the terminal, and for tests. */
export function createMemoryLedger(): Ledger {
  const clusters = new Map<string, Kept>();
  const written = new Set<string>();

  const write = (batch: Batch): void => {
    for (const tally of batch.tallies) addTo(bucketOf(clusters, tally), tally);
    for (const loss of batch.losses) addLoss(bucketOf(clusters, loss), loss.kind, loss.count);
    for (const { cluster, atMs } of batch.heard ?? batch.tallies.map(heardOf)) {
      const kept = keptOf(clusters, cluster, atMs);
      kept.lastHeardMs = Math.max(kept.lastHeardMs, atMs);
    }
  };
  return {
    async write(batch) {
      if (written.has(batch.id)) return;
      written.add(batch.id);
      const [oldest] = written;
      if (written.size > mostBatches && oldest !== undefined) written.delete(oldest);
      write(batch);
    },
    async read(query) {
      const kept = clusters.get(query.cluster);
      const view = createView(query, minuteMs);
      for (const [startMs, bucket] of kept?.minutes ?? [])
        if (query.fromMs <= startMs && startMs < query.toMs)
          view.add({ startMs, entries: entriesOf(bucket), losses: lossesOf(bucket) });
      return view.view({ sinceMs: kept?.sinceMs, lastHeardMs: kept?.lastHeardMs });
    },
    tend: async () => undefined,
  };
}

function heardOf({ key, lastMs }: Batch["tallies"][number]) {
  return { cluster: key.cluster, atMs: lastMs };
}

type Where = { readonly minuteMs: number } & ({ readonly cluster: string } | Batch["tallies"][number]);

function bucketOf(clusters: Map<string, Kept>, where: Where): Bucket {
  const at = where.minuteMs;
  const { minutes } = keptOf(clusters, "cluster" in where ? where.cluster : where.key.cluster, at);
  const bucket = minutes.get(at) ?? createBucket(mostKeys);
  minutes.set(at, bucket);
  if (minutes.size > mostMinutes) minutes.delete(Math.min(...minutes.keys()));
  return bucket;
}

function keptOf(clusters: Map<string, Kept>, cluster: string, atMs: number): Kept {
  const kept = clusters.get(cluster) ?? { minutes: new Map(), sinceMs: atMs, lastHeardMs: atMs };
  clusters.set(cluster, kept);
  kept.sinceMs = Math.min(kept.sinceMs, atMs);
  return kept;
}
