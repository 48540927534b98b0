import type { FlowKey } from "../../src/flows/flow-key.ts";
import type { Place } from "../../src/flows/place.ts";
import {
  type Counted,
  type CountedMinute,
  type Cut,
  nothingCut,
  type PolicyChangeAt,
  type Spike,
  type SpikeEnd,
} from "../../src/flows/spike.ts";
import type { SpikePace } from "../../src/flows/spike-pace.ts";
import { createSpikes, type SpikeState, step } from "../../src/flows/spikes.ts";

/** When the first of those minutes begins. */
export const startMs = Date.UTC(2026, 0, 5, 9);

export type Minutes = readonly (readonly Counted[] | undefined)[];

/** What is told of so many minutes one after the other; undefined: nothing was heard. */
export function run(
  minutes: Minutes,
  {
    changes = [],
    isMuted = () => false,
    between = (state) => state,
    first = createSpikes("home"),
    pace,
    cutIn = () => nothingCut,
  }: {
    readonly changes?: readonly PolicyChangeAt[];
    readonly isMuted?: (key: FlowKey) => boolean;
    readonly between?: (state: SpikeState) => SpikeState;
    readonly first?: SpikeState;
    readonly pace?: SpikePace;
    readonly cutIn?: (index: number) => Cut;
  } = {},
) {
  let state = first;
  const [begun, grown, ended]: [Spike[], Spike[], SpikeEnd[]] = [[], [], []];
  for (const [index, counted] of minutes.entries()) {
    const told = step(between(state), { ...minuteOf(index, counted), changes, isMuted, cut: cutIn(index) }, pace);
    state = told.state;
    begun.push(...told.begun);
    grown.push(...told.grown);
    ended.push(...told.ended);
  }
  return { begun, grown, ended, state };
}

export function minuteOf(index: number, counted: readonly Counted[] | undefined): CountedMinute {
  const minuteMs = startMs + index * 60_000;
  return {
    minuteMs,
    counted: counted ?? [],
    isHeard: counted !== undefined,
    changes: [],
    isMuted: () => false,
    cut: nothingCut,
  };
}

export function quiet(minutes: number): Minutes {
  return Array.from({ length: minutes }, () => []);
}

export function steady(namespace: string, count: number, minutes: number): Minutes {
  return Array.from({ length: minutes }, () => [pair(namespace, count)]);
}

export function pair(namespace: string, count: number, port = 8080): Counted {
  const place = (name: string): Place => ({ kind: "workload", namespace, of: "Deployment", name });
  const key: FlowKey = {
    cluster: "home",
    class: "denied",
    from: place("client"),
    to: place("server"),
    protocol: "TCP",
    port,
    direction: "ingress",
    reason: "no-rule",
    policies: [],
  };
  return { key, count, atLeast: false };
}
