import { addLoss, addTo, type Bucket, createBucket } from "./bucket.ts";
import { packBucket, unpackBucket } from "./bucket-text.ts";
import type { FlowKey } from "./flow-key.ts";
import type { Batch } from "./ledger.ts";
import type { LedgerStore, Minute } from "./ledger-store.ts";

/** Minutes that this process still adds to. */
export type OpenMinutes = {
  /** Adds all of it in memory, or throws and has added nothing. */
  add(batch: Batch): Promise<void>;
  /** Stores every minute to which something was added since it was stored. */
  flush(): Promise<void>;
};

/** So many keys of a minute are stored, and a quarter of that of what is only told in total: 30 kB, by process. */
export const mostStored = 1_024;
/** Ordinarily two; after that one is read again when something late comes for it. */
const mostOpen = 16;

type Open = Minute & { readonly bucket: Bucket; isStored: boolean };
type Options = { readonly writer: string; readonly keyOf: (text: string) => FlowKey | undefined };

export function createOpenMinutes(store: LedgerStore, { writer, keyOf }: Options): OpenMinutes {
  const open = new Map<string, Open>();

  const openOne = async (minute: Minute): Promise<void> => {
    const text = textOf(minute);
    if (open.has(text)) return;
    const packed = await store.own(minute, writer);
    const before = packed === undefined ? undefined : await unpackBucket(packed, mostStored, keyOf);
    open.set(text, { ...minute, bucket: before ?? createBucket(mostStored), isStored: true });
  };
  const closeSome = (): void => {
    for (const [text, { isStored }] of open) {
      if (open.size <= mostOpen) return;
      if (isStored) open.delete(text);
    }
  };
  const touch = (minute: Minute): Bucket => {
    const text = textOf(minute);
    const found = open.get(text) ?? { ...minute, bucket: createBucket(mostStored), isStored: false };
    open.delete(text);
    open.set(text, { ...found, isStored: false });
    return found.bucket;
  };
  return {
    async add({ tallies, losses }) {
      const minutes = [...tallies.map(({ key, minuteMs }) => at(key.cluster, minuteMs)), ...losses.map(atLoss)];
      for (const minute of new Map(minutes.map((one) => [textOf(one), one])).values()) await openOne(minute);
      for (const tally of tallies) addTo(touch(at(tally.key.cluster, tally.minuteMs)), tally);
      for (const loss of losses) addLoss(touch(atLoss(loss)), loss.kind, loss.count);
    },
    async flush() {
      for (const [text, minute] of open) {
        if (minute.isStored) continue;
        await store.put(minute, writer, await packBucket(minute.bucket));
        open.set(text, { ...minute, isStored: true });
      }
      closeSome();
    },
  };
}

function at(cluster: string, startMs: number): Minute {
  return { cluster, startMs };
}

function atLoss({ cluster, minuteMs }: Batch["losses"][number]): Minute {
  return { cluster, startMs: minuteMs };
}

function textOf({ cluster, startMs }: Minute): string {
  return `${startMs} ${cluster}`;
}
