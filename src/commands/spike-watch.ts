import type { Counted, Spike, SpikeEnd } from "../flows/spike.ts";
import { type SpikePace, usualPace } from "../flows/spike-pace.ts";
import type { SpikeStore, StoredSpike } from "../flows/spike-store.ts";
import { step } from "../flows/spikes.ts";
import type { Outlet } from "./desk.ts";
import type { FlowServices } from "./flow-services.ts";
import type { Services } from "./services.ts";
import { type Alert, spikeAlert } from "./spike-alert.ts";
import type { SpikeChannels } from "./spike-channels.ts";
import { isAnyHeard, minuteOf, minutesDue } from "./spike-minutes.ts";
import { createSpikeTelling } from "./spike-tell.ts";

export type SpikeWatchParts = {
  readonly services: Services;
  readonly flows: FlowServices;
  readonly store: SpikeStore;
  readonly channels: SpikeChannels;
  readonly outletIn: (channel: string) => Outlet;
  /** Sends them; how many Alertmanagers did not take them. */
  readonly alert: (alerts: readonly Alert[]) => Promise<void>;
  readonly runbookUrl: string | undefined;
  /** Default: the usual one. */
  readonly pace?: SpikePace;
  readonly meter: {
    begun(spike: Spike): void;
    ended(end: SpikeEnd): void;
    /** How many go on after a minute, and what was denied in it. */
    judged(cluster: string, open: number, counted: readonly Counted[]): void;
  };
};

export type SpikeWatch = {
  /** Judges what is due of a cluster, and tells what is not told. To be called by one replica, again and again; by two it does no harm. */
  sweep(cluster: string): Promise<void>;
};

/** An alert lasts five minutes without being sent again. */
const alertEveryMs = 60_000;

/** Spikes of denied flows: judged minute by minute, stored before they are told, and told until they are over. */
export function createSpikeWatch(parts: SpikeWatchParts): SpikeWatch {
  const alertedMs = new Map<string, number>();
  const isBegun = createBeginning(parts);
  const telling = createSpikeTelling(parts);
  return {
    async sweep(cluster) {
      const begun = (await isBegun(cluster)) ? await judge(parts, cluster) : 0;
      const all = await parts.store.all(cluster);
      const untold = all.filter(({ isTold }) => !isTold);
      await Promise.all([
        alertOf(parts, all, { alertedMs, cluster, isNews: begun > 0 }),
        telling.tell(cluster, untold),
      ]);
    },
  };
}

/** Agents that come first may tell of the hour before, which is learnt from, too: nothing is judged until that is written. */
function createBeginning({ services, flows, store, pace = usualPace }: SpikeWatchParts) {
  const heardMs = new Map<string, number>();
  const begun = new Set<string>();
  return async (cluster: string): Promise<boolean> => {
    if (begun.has(cluster)) return true;
    const now = services.now();
    if (!heardMs.has(cluster) && (await isAnyHeard(services, flows, cluster))) heardMs.set(cluster, now);
    const isWritten = now - (heardMs.get(cluster) ?? now) >= pace.lateMs;
    if (isWritten || (await store.judgedMs(cluster)) !== undefined) begun.add(cluster);
    return begun.has(cluster);
  };
}

/** How many began. Where another replica judges too, it stops: that one goes on. */
async function judge(parts: SpikeWatchParts, cluster: string): Promise<number> {
  const { services, flows, store, meter, pace = usualPace } = parts;
  const endMs = services.now() - pace.lateMs;
  if (minutesDue(await store.judgedMs(cluster), endMs).length === 0) return 0;
  let state = await store.read(cluster);
  let begun = 0;
  for (const atMs of minutesDue(state.minuteMs, endMs)) {
    const told = state.episodes.flatMap(({ spike }) => spike.operation ?? []);
    const minute = await minuteOf(services, flows, { cluster, atMs, told });
    const next = step(state, minute, pace);
    if (!(await store.store(state, next))) return begun;
    for (const spike of next.begun) meter.begun(spike);
    for (const end of next.ended) meter.ended(end);
    const open = next.state.episodes.filter(({ spike }) => spike.operation === undefined).length;
    meter.judged(cluster, open, minute.counted);
    begun += next.begun.length + next.ended.length;
    state = next.state;
  }
  return begun;
}

type Alerting = {
  readonly alertedMs: Map<string, number>;
  readonly cluster: string;
  readonly isNews: boolean;
};

/**
 * What is over is sent as long as it is kept untold, and with others; Alertmanager ends it by itself besides. Nobody is paged of
 * what an operation cuts off on purpose.
 */
async function alertOf(
  { services, alert, runbookUrl }: SpikeWatchParts,
  all: readonly StoredSpike[],
  { alertedMs, cluster, isNews }: Alerting,
): Promise<void> {
  const now = services.now();
  if (!isNews && now - (alertedMs.get(cluster) ?? 0) < alertEveryMs) return;
  alertedMs.set(cluster, now);
  const unexpected = all.filter(({ spike }) => spike.operation === undefined);
  const recent = unexpected.filter(({ end }) => end === undefined || end.sinceMs > now - 30 * 60_000);
  const open = new Set(recent.filter(({ end }) => end === undefined).map((one) => labelsOf(one, runbookUrl, now)));
  const sent = recent.filter((one) => one.end === undefined || !open.has(labelsOf(one, runbookUrl, now)));
  await alert(sent.map((one) => spikeAlert(one, runbookUrl, now)));
}

/** One of the same labels that goes on is not ended by one that is over. */
function labelsOf(stored: StoredSpike, runbookUrl: string | undefined, now: number): string {
  return JSON.stringify(spikeAlert(stored, runbookUrl, now).labels);
}
