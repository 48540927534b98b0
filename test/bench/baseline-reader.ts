import { packed } from "../../src/flows/baselines.ts";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import type { Place } from "../../src/flows/place.ts";
import type { Counted, CountedMinute } from "../../src/flows/spike.ts";
import { createSpikes, type SpikeState, step } from "../../src/flows/spikes.ts";

/** What the baseline costs for each kept key: bytes of memory and of Redis, and a minute's judgement. */
const pairs = 10_000;
const minutes = 40;

const counted = Array.from({ length: pairs }, (_, index) => one(index));
globalThis.gc?.();
const before = process.memoryUsage();
let state = createSpikes("home", 20_000);
const times: number[] = [];
for (let index = 0; index < minutes; index += 1) {
  const began = performance.now();
  state = step(state, minuteOf(index)).state;
  times.push(performance.now() - began);
}
globalThis.gc?.();
report(state, times.slice(minutes / 2));

function report({ table }: SpikeState, warm: readonly number[]): void {
  const median = warm.toSorted((a, b) => a - b)[Math.floor(warm.length / 2)] ?? 0;
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const grown = heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers;
  tell(`${table.rows.size} series of ${pairs} pairs, all of them denied in each minute`);
  tell(`a minute judged in ${median.toFixed(1)} ms, ${((median * 1_000) / pairs).toFixed(2)} µs a pair`);
  tell(`${(packed(table).length / table.rows.size).toFixed(0)} bytes a series as stored`);
  tell(`${(grown / table.rows.size).toFixed(0)} bytes a series in memory, index included (--expose-gc)`);
}

function minuteOf(index: number): CountedMinute {
  const minuteMs = Date.UTC(2026, 0, 5) + index * 60_000;
  return { minuteMs, counted, isHeard: true, changes: [], isMuted: () => false };
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

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
