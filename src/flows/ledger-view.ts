import { readPacked } from "./bucket-text.ts";
import type { FlowKey } from "./flow-key.ts";
import type { LedgerQuery, LedgerView } from "./ledger.ts";
import { type LedgerStore, type Minute, minuteMs, minutesOf, quarterMs, quarterOf } from "./ledger-store.ts";
import { createView } from "./view.ts";

type KeyOf = (text: string) => FlowKey | undefined;

/**
 * What all processes counted, by minutes as long as these are kept; by quarters of an hour before that, or where more than
 * three hours are asked for. A quarter of which nothing else is kept counts where it begins.
 */
export async function readView(store: LedgerStore, query: LedgerQuery, keyOf: KeyOf): Promise<LedgerView> {
  const { cluster, fromMs, toMs } = query;
  const [quarters, told] = await Promise.all([store.quarters(cluster, quarterOf(fromMs), toMs), store.times(cluster)]);
  const there = await store.minutesThere(cluster, quarters);
  const isByMinutes = there.every((minutes) => minutes > 0) && toMs - fromMs <= 12 * quarterMs;
  const view = createView(query, isByMinutes ? minuteMs : quarterMs, keyOf);
  for (const [index, quarter] of quarters.entries()) {
    const hasMinutes = (there[index] ?? 0) > 0;
    const starts = hasMinutes ? minutesOf(quarter) : [quarter];
    const wanted = starts.filter((startMs) => fromMs <= startMs && startMs < toMs);
    const found = await Promise.all(wanted.map((startMs) => packedOf(store, { cluster, startMs }, hasMinutes)));
    for (const { startMs, packed } of found.flat()) {
      const read = await readPacked(packed);
      if (read !== undefined) view.add({ startMs, ...read });
    }
  }
  return view.view(told);
}

type Packed = { readonly startMs: number; readonly packed: Buffer };

async function packedOf(store: LedgerStore, at: Minute, isMinute: boolean): Promise<readonly Packed[]> {
  const all = isMinute ? await store.minute(at) : [await store.quarter(at)];
  return all.flatMap((packed) => (packed === undefined ? [] : [{ startMs: at.startMs, packed }]));
}
