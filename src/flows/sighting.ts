import type { FlowKey } from "./flow-key.ts";
import type { Place } from "./place.ts";
import type { FlowRecord } from "./record.ts";

/** A pod that had an address at the time of a flow. */
export type SeenPod = { readonly namespace: string; readonly name: string; readonly uid: string };

/**
 * A record with all that was made of it: where it counts, and which pods it was between. `cluster` is whose source told it.
 * Observers of operations look at these one by one; the ledger only counts them.
 */
export type Sighting = {
  readonly cluster: string;
  readonly record: FlowRecord;
  readonly from: Place;
  readonly to: Place;
  readonly fromPod: SeenPod | undefined;
  readonly toPod: SeenPod | undefined;
  /** So far ahead of ours was the clock of whoever saw it, milliseconds; else 0. The record says then when it came. */
  readonly aheadMs: number;
  /** Undefined for what was forwarded: that is not counted. */
  readonly key: FlowKey | undefined;
};
