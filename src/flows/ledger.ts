import type { FlowKey } from "./flow-key.ts";
import type { FlowUnit } from "./record.ts";

/** Something that was counted in one minute, by one replica. */
export type Tally = {
  readonly key: FlowKey;
  /** Start of the minute, milliseconds since the epoch. */
  readonly minuteMs: number;
  readonly count: number;
  /** How many of `count` may belong to other keys, where there were too many of them. Absent: none. */
  readonly error?: number;
  readonly unit: FlowUnit;
  readonly atLeast: boolean;
  /** The first and the last that was seen of it in that minute. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** A name that DNS requests among them asked for. */
  readonly dnsQuery?: string | undefined;
};

/** What a source could not tell, or a replica could not count one by one. */
export type Loss = {
  readonly cluster: string;
  readonly minuteMs: number;
  /**
   * `source`: lost before it could tell them. `unreadable`: lines. `late`: told too long after they were seen, and not
   * counted. `evicted`: counted as others' (see `error`), since there were too many keys.
   */
  readonly kind: "source" | "unreadable" | "late" | "evicted";
  readonly count: number;
};

/** What one replica counted since it last wrote. Writing it again with the same id does nothing. */
export type Batch = {
  readonly id: string;
  readonly tallies: readonly Tally[];
  readonly losses: readonly Loss[];
  /** When something last came of each cluster, counted or not. Absent: as the tallies say. */
  readonly heard?: readonly { readonly cluster: string; readonly atMs: number }[];
};

export type LedgerQuery = {
  readonly cluster: string;
  /** Whole minutes: the first that counts, and the first that does not. */
  readonly fromMs: number;
  readonly toMs: number;
};

/** One key over the time asked for. */
export type Series = {
  readonly key: FlowKey;
  readonly count: number;
  readonly unit: FlowUnit;
  /** The count is a lower bound. */
  readonly atLeast: boolean;
  /** How many of `count` may belong to others: Space-Saving's error. */
  readonly error: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly dnsQuery: string | undefined;
  /** What was counted in each step of `stepMs` from the beginning of the time asked for. */
  readonly steps: readonly number[];
};

export type LedgerView = {
  /** Highest count first, of what is certain: `count` less `error`. */
  readonly series: readonly Series[];
  readonly stepMs: number;
  readonly losses: readonly Loss[];
  /** Since when anything is kept of this cluster; undefined: nothing ever came. */
  readonly sinceMs: number | undefined;
  /** When something last came from a source of this cluster, of any class. */
  readonly lastHeardMs: number | undefined;
};

/** What was counted by all replicas: the same answer from each. Every method throws where the store is away. */
export type Ledger = {
  write(batch: Batch): Promise<void>;
  read(query: LedgerQuery): Promise<LedgerView>;
  /** Keeps what is older by larger steps; to be called each minute by any replica, with milliseconds since the epoch. */
  tend(nowMs: number): Promise<void>;
};
