import type { Ledger } from "./ledger.ts";
import { createPending, type Pending, startOf } from "./pending.ts";
import type { PodAddresses } from "./pod-addresses.ts";
import type { FlowItem, FlowRecord } from "./record.ts";
import { createRemembered, type Remembered } from "./remembered.ts";
import type { ServiceBook } from "./resolve.ts";
import type { Settled } from "./settled.ts";
import { sight } from "./sight.ts";
import type { Sighting } from "./sighting.ts";
import { startWriting } from "./writing.ts";

/** Where every source puts what it reads, pushed or pulled. */
export type FlowSink = {
  /**
   * False where as much waits already as may: nothing of it was taken then, and whoever brought it keeps it and comes again
   * (a receiver answers 429, a puller waits). `cluster` is the name that configuration gives it.
   */
  take(cluster: string, items: readonly FlowItem[]): boolean;
};

export type SinkOptions = {
  readonly ledger: Ledger;
  /** This process among those that write to the same ledger: unlike any other's, also of one that ran before. */
  readonly replica: string;
  readonly addresses: PodAddresses;
  readonly settled: Settled;
  readonly services?: ServiceBook;
  /** Nodes that no pod tells of. */
  readonly isNode?: (cluster: string, address: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of every flow, forwarded or denied, that is not one that came before. It must not throw. */
  readonly onSighting?: (sighting: Sighting) => void;
  /** The ledger did not take what was counted: it is written again until it does. */
  readonly onProblem?: (error: unknown) => void;
  /** A crash loses what was counted in so many milliseconds. Default 1 000. */
  readonly writeEveryMs?: number;
  /** What was seen longer ago is counted as late, and as nothing else. Default 3 h; what reads files keeps all. */
  readonly oldestMs?: number;
  /** So many keys of minutes may wait for a ledger that is away. Default 200 000: 100 MB at most, hours of an ordinary cluster. */
  readonly mostPending?: number;
};

/** By cluster: what relays send again after a reconnection, and what comes by an export and by the relay. */
const rememberedIds = 131_072;

/** Counts what comes, at once, and writes that every second. `stop` writes what is left, if the ledger takes it. */
export function createSink(options: SinkOptions): FlowSink & { stop(): Promise<void> } {
  const { now, oldestMs = 3 * 3_600_000, mostPending = 200_000 } = options;
  const pending = createPending();
  const seen = new Map<string, Remembered>();
  const writing = startWriting(pending, options);

  const idsOf = (cluster: string): Remembered => {
    const ids = seen.get(cluster) ?? createRemembered(rememberedIds);
    seen.set(cluster, ids);
    return ids;
  };
  return {
    take(cluster, items) {
      if (pending.size() >= mostPending) return false;
      const nowMs = now();
      const ids = idsOf(cluster);
      pending.heard(cluster, nowMs);
      for (const item of items) {
        if (item.kind === "flow") takeRecord(item.record, { cluster, nowMs, oldestMs, ids, pending, options });
        else takeOther(item, { cluster, nowMs, oldestMs, pending });
      }
      return true;
    },
    stop: () => writing.stop(),
  };
}

type Taking = {
  readonly cluster: string;
  readonly nowMs: number;
  readonly oldestMs: number;
  readonly pending: Pending;
};

function takeRecord(
  told: FlowRecord,
  taking: Taking & { readonly ids: Remembered; readonly options: SinkOptions },
): void {
  const { cluster, nowMs, oldestMs, pending, ids, options } = taking;
  if (told.id !== undefined && !ids.isNew(told.id, told.toMs)) return;
  const record = withinTime(told, nowMs);
  if (record.count === 0) return;
  if (record.toMs < nowMs - oldestMs)
    return pending.lose({ cluster, minuteMs: startOf(nowMs), kind: "late", count: record.count });
  const sighting = sight(cluster, record, options, Math.max(0, finite(told.toMs, nowMs) - nowMs));
  if (sighting.key !== undefined) pending.count(sighting.key, record);
  options.onSighting?.(sighting);
}

/** What cannot be read counts once; nothing is counted of what is of no use. */
function takeOther(item: Exclude<FlowItem, { kind: "flow" }>, { cluster, nowMs, oldestMs, pending }: Taking): void {
  if (item.kind === "passed") return;
  const isLost = item.kind === "lost";
  const atMs = isLost ? Math.min(nowMs, Math.max(nowMs - oldestMs, finite(item.atMs, nowMs))) : nowMs;
  const count = isLost ? counted(item.count) : 1;
  if (count > 0) pending.lose({ cluster, minuteMs: startOf(atMs), kind: isLost ? "source" : "unreadable", count });
}

/** Nothing was seen later than now, whatever the clock of its node says; and no window ends before it begins. */
function withinTime(record: FlowRecord, nowMs: number): FlowRecord {
  const toMs = Math.min(nowMs, finite(record.toMs, nowMs));
  const fromMs = Math.min(toMs, finite(record.fromMs, toMs));
  const count = counted(record.count);
  const isSame = toMs === record.toMs && fromMs === record.fromMs && count === record.count;
  return isSame ? record : { ...record, toMs, fromMs, count };
}

function finite(value: number, otherwise: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : otherwise;
}

/** Sums of what sources say must stay exact, and add up. */
const highestCount = 1e12;

function counted(count: number): number {
  return Number.isFinite(count) ? Math.min(highestCount, Math.max(0, Math.round(count))) : 0;
}
