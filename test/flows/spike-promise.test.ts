import { expect, test } from "vitest";
import { copied } from "../../src/flows/baselines.ts";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import { nothingCut, type Spike } from "../../src/flows/spike.ts";
import { identified, pairSeries } from "../../src/flows/spike-series.ts";
import { createSpikes, type SpikeState, step } from "../../src/flows/spikes.ts";
import { createRandom } from "./random.ts";

const startMs = Date.UTC(2026, 0, 5, 9);
const usual = [0, 1, 5, 20, 100, 300];
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
const cases = usual.flatMap((perMinute) => seeds.map((seed) => ({ perMinute, seed })));

test.each(cases)("Three minutes of twice the limit are told: usual $perMinute, seed $seed", (usually) => {
  expect(toldOf(usually, { times: 2, minutes: 3 })).toMatchObject([{ subject: { kind: "pair" } }]);
});

test.each(cases)("Four minutes of one and a half times it are told: usual $perMinute, seed $seed", (usually) => {
  expect(toldOf(usually, { times: 1.5, minutes: 4 })).toMatchObject([{ subject: { kind: "pair" } }]);
});

test("No more is promised: two minutes of twice the limit, and any number below it, are not told", () => {
  const quiet = { perMinute: 0, seed: 1 };
  expect(toldOf(quiet, { times: 2, minutes: 2 })).toEqual([]);
  expect(toldOf(quiet, { times: 1, minutes: 60 })).toEqual([]);
});

type Usually = { readonly perMinute: number; readonly seed: number };

/** What is told after two hours of uneven counts about what is usual, in minutes of so many times the limit as it stands then. */
function toldOf(
  { perMinute, seed }: Usually,
  { times, minutes }: { times: number; minutes: number },
): readonly Spike[] {
  const random = createRandom(seed);
  let state = createSpikes("home");
  for (let minute = 0; minute < 120; minute += 1) state = judged(state, random.count(perMinute, 3)).state;
  const count = Math.ceil(times * limitOf(state));
  const begun: Spike[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const next = judged(state, count);
    begun.push(...next.begun);
    state = next.state;
  }
  return begun;
}

function judged(state: SpikeState, count: number) {
  const minuteMs = startMs + state.tick * 60_000;
  const counted = count === 0 ? [] : [{ key, count, atLeast: false }];
  return step(state, { minuteMs, counted, isHeard: true, changes: [], isMuted: () => false, cut: nothingCut });
}

function limitOf({ table, tick }: SpikeState): number {
  const at = { minuteMs: startMs + tick * 60_000, tick: tick + 1 };
  const { series } = pairSeries(copied(table), identified([{ key, count: 1, atLeast: false }]), at);
  return series[0]?.usual.limit ?? 0;
}

/** Of no namespace, whose own counts might tell it, too. */
const key: FlowKey = {
  cluster: "home",
  class: "denied",
  from: { kind: "range", cidr: "198.51.100.0/24" },
  to: { kind: "node" },
  protocol: "TCP",
  port: 8080,
  direction: "ingress",
  reason: "no-rule",
  policies: [],
};
