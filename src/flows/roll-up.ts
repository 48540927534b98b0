import { addLoss, addTo, type Bucket, createBucket, entriesOf, lossesOf } from "./bucket.ts";
import { packBucket, unpackBucket } from "./bucket-text.ts";
import type { FlowKey } from "./flow-key.ts";
import { type LedgerStore, minuteMs, minutesOf, quarterMs, quarterOf } from "./ledger-store.ts";
import { mostStored } from "./open-minutes.ts";

type KeyOf = (text: string) => FlowKey | undefined;
type Where = { readonly cluster: string; readonly nowMs: number };

/** What comes late finds its minute for so many quarters: then they are kept as they are. */
const quartersOfMinutes = 12;

/**
 * Puts the minutes of each quarter together that is over: the latest one, one that is about to lose its minutes, for what came
 * late meanwhile, and any that was forgotten. Whoever does it comes to the same, so all replicas may.
 */
export async function rollUp(store: LedgerStore, { cluster, nowMs }: Where, keyOf: KeyOf): Promise<void> {
  const latest = quarterOf(nowMs - minuteMs) - quarterMs;
  const last = latest - (quartersOfMinutes - 2) * quarterMs;
  for (const startMs of await store.quarters(cluster, last - quarterMs, latest + 1)) {
    const isDue = startMs === latest || startMs === last;
    if (isDue || !(await store.hasQuarter({ cluster, startMs }))) await rollOne(store, { cluster, startMs }, keyOf);
  }
}

async function rollOne(store: LedgerStore, { cluster, startMs }: { cluster: string; startMs: number }, keyOf: KeyOf) {
  const quarter = createBucket(mostStored);
  let isEmpty = true;
  for (const minute of minutesOf(startMs))
    for (const packed of await store.minute({ cluster, startMs: minute })) {
      const bucket = await unpackBucket(packed, mostStored, keyOf);
      if (bucket !== undefined) addAll(quarter, bucket);
      isEmpty = false;
    }
  if (!isEmpty) await store.putQuarter({ cluster, startMs }, await packBucket(quarter));
}

function addAll(quarter: Bucket, bucket: Bucket): void {
  for (const entry of entriesOf(bucket)) addTo(quarter, entry, entry.text);
  for (const [kind, count] of lossesOf(bucket)) addLoss(quarter, kind, count);
}
