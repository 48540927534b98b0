import { addLoss, addTo, type Bucket, createBucket, entriesOf, lossesOf, sizeOf } from "./bucket.ts";
import { type FlowKey, pairText, withPort } from "./flow-key.ts";
import type { Batch, Loss } from "./ledger.ts";
import { isTooMany } from "./port-fold.ts";
import type { FlowRecord } from "./record.ts";

const minuteMs = 60_000;

/** What was counted and is not written yet, in minutes of clusters. */
export type Pending = {
  count(key: FlowKey, record: FlowRecord): void;
  lose(loss: Loss): void;
  heard(cluster: string, atMs: number): void;
  /** How many keys of how many minutes wait. */
  size(): number;
  /** All of it, which waits here no more; undefined where there is none. */
  drain(id: string): Batch | undefined;
};

/** So many keys of a cluster are told apart in one minute, between two writes. */
const mostKeys = 4_096;
/** So many pairs of a cluster are watched for scans; beyond, all is forgotten, and found anew. */
const mostPairs = 4_096;

export function createPending(): Pending {
  let buckets = new Map<string, { readonly cluster: string; readonly startMs: number; readonly bucket: Bucket }>();
  let heard = new Map<string, number>();
  const ports = new Map<string, Set<number>>();

  const bucketOf = (cluster: string, startMs: number): Bucket => {
    const text = `${startMs} ${cluster}`;
    const found = buckets.get(text) ?? { cluster, startMs, bucket: createBucket(mostKeys) };
    buckets.set(text, found);
    return found.bucket;
  };
  return {
    count(key, record) {
      const { count, unit, atLeast, fromMs: firstMs, toMs: lastMs, dnsQuery } = record;
      const pair = pairText(key);
      const port = foldScan(ports, pair, key.port);
      const folded = port === key.port ? key : { ...key, port };
      const addition = { key: folded, count, unit, atLeast, firstMs, lastMs, dnsQuery };
      addTo(bucketOf(key.cluster, startOf(lastMs)), addition, `${withPort(pair, port)}\t${unit}`);
    },
    lose: ({ cluster, minuteMs: atMs, kind, count }) => addLoss(bucketOf(cluster, atMs), kind, count),
    heard: (cluster, atMs) => void heard.set(cluster, atMs),
    size: () => [...buckets.values()].reduce((sum, { bucket }) => sum + sizeOf(bucket), 0),
    drain(id) {
      if (buckets.size === 0 && heard.size === 0) return undefined;
      const all = [...buckets.values()];
      const told = [...heard].map(([cluster, atMs]) => ({ cluster, atMs }));
      buckets = new Map();
      heard = new Map();
      return {
        id,
        tallies: all.flatMap(({ startMs, bucket }) =>
          entriesOf(bucket).map((entry) => ({ ...entry, minuteMs: startMs })),
        ),
        losses: all.flatMap(({ cluster, startMs, bucket }) =>
          [...lossesOf(bucket)].map(([kind, count]) => ({ cluster, minuteMs: startMs, kind, count })),
        ),
        heard: told,
      };
    },
  };
}

export function startOf(atMs: number): number {
  return Math.floor(atMs / minuteMs) * minuteMs;
}

/** The same port, or `many` where its pair has had so many. */
function foldScan(seen: Map<string, Set<number>>, pair: string, port: FlowKey["port"]): FlowKey["port"] {
  if (typeof port !== "number") return port;
  const ports = seen.get(pair) ?? new Set();
  if (isTooMany(ports, port)) return "many";
  if (ports.has(port)) return port;
  if (seen.size >= mostPairs) seen.clear();
  seen.set(pair, ports.add(port));
  return port;
}
