import { packed } from "../../src/flows/baselines.ts";
import { type FlowKey, textOf } from "../../src/flows/flow-key.ts";
import type { Place } from "../../src/flows/place.ts";
import { type Counted, type CountedMinute, nothingCut } from "../../src/flows/spike.ts";
import { createSpikes, step } from "../../src/flows/spikes.ts";

/**
 * With --expose-gc: 10 000 pairs that are denied in each minute. Prints what a series costs, as the baseline keeps it (`baseline`), or
 * where each pair has a plain average and deviation in a Map (`bare`).
 */
export type BaselineReading = {
  /** A minute judged, milliseconds of a core a thousand pairs; the median of the later half. */
  readonly minuteMs: number;
  /** Of memory, of each series. */
  readonly bytes: number;
  /** The same as it is stored in Redis; JSON of the Map's entries. */
  readonly storedBytes: number;
};

const pairs = 10_000;
const minutes = 40;

const counted = Array.from({ length: pairs }, (_, index) => one(index));
const before = held();
const kept = process.argv[2] === "bare" ? bare() : baseline();
const times: number[] = [];
for (let index = 0; index < minutes; index += 1) {
  const began = process.cpuUsage();
  kept.judge(minuteOf(index));
  const { user, system } = process.cpuUsage(began);
  times.push((user + system) / 1_000);
}
const warm = times.slice(minutes / 2).toSorted((a, b) => a - b);
const reading: BaselineReading = {
  minuteMs: ((warm[Math.floor(warm.length / 2)] ?? 0) * 1_000) / pairs,
  bytes: (held() - before) / kept.size(),
  storedBytes: kept.stored() / kept.size(),
};
process.stdout.write(`${JSON.stringify(reading)}\n`);
process.exit(0);

function baseline() {
  let state = createSpikes("home", 20_000);
  return {
    judge: (minute: CountedMinute) => void (state = step(state, minute).state),
    size: () => state.table.rows.size,
    stored: () => packed(state.table).length,
  };
}

/** It knows no time of day, no floor and no episodes: what a first attempt would keep. */
function bare() {
  const known = new Map<string, { mean: number; deviation: number }>();
  return {
    judge(minute: CountedMinute): void {
      for (const { key, count } of minute.counted) {
        const text = textOf(key);
        const one = known.get(text) ?? { mean: count, deviation: 0 };
        one.deviation += 0.05 * (Math.abs(count - one.mean) - one.deviation);
        one.mean += 0.05 * (count - one.mean);
        known.set(text, one);
      }
    },
    size: () => known.size,
    stored: () => JSON.stringify([...known]).length,
  };
}

/** The first collection lets go of what holds buffers, the second of the buffers. */
function held(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function minuteOf(index: number): CountedMinute {
  const minuteMs = Date.UTC(2026, 0, 5) + index * 60_000;
  return { minuteMs, counted, isHeard: true, changes: [], isMuted: () => false, cut: nothingCut };
}

function one(index: number): Counted {
  const place = (name: string): Place => ({ kind: "workload", namespace: `ns-${index % 100}`, of: "Deployment", name });
  const key: FlowKey = {
    cluster: "home",
    class: "denied",
    from: place(`client-${index % 500}`),
    to: place(`server-${index}`),
    protocol: "TCP",
    port: 8080,
    direction: "ingress",
    reason: "no-rule",
    policies: [],
  };
  return { key, count: 1 + (index % 7), atLeast: false };
}
