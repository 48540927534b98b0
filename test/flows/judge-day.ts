import type { Spike } from "../../src/flows/spike.ts";
import { createSpikes, step } from "../../src/flows/spikes.ts";
import { type RecordedDay, recordedDay } from "./recorded-day.ts";

/** What was told of a recorded day: of what was planted, and what else. */
export type Verdict = {
  readonly missed: readonly string[];
  /** Those that are shorter than what is promised, and whether they were told. */
  readonly short: readonly { readonly name: string; readonly isTold: boolean }[];
  /** Told and not planted, told twice, or of the drift or of the second night; the scanner's one telling is not among them. */
  readonly false: readonly Spike[];
  readonly scans: number;
  /** On the day before, on which all was new. */
  readonly dayBefore: readonly Spike[];
  readonly missedChange: boolean;
};

export function judgeDay(seed: number): Verdict {
  const day = recordedDay(seed);
  return verdictOf(day, toldOf(day));
}

/** `begun`: all that was told of it. */
export function verdictOf(day: RecordedDay, begun: readonly Spike[]): Verdict {
  const judged = begun.filter(({ sinceMs }) => sinceMs >= day.judgedFromMs);
  const meant = day.planted.filter(({ told }) => told !== false);
  const found = new Map<string, Spike>();
  const wrong: Spike[] = [];
  for (const spike of judged) {
    if (spike.kind === "scan") continue;
    const one = meant.find(({ name, fromMs, toMs, namespaces }) => {
      const isThen = spike.sinceMs >= fromMs - 60_000 && spike.sinceMs < toMs + 60_000;
      return !found.has(name) && isThen && spike.namespaces.some((namespace) => namespaces.includes(namespace));
    });
    if (one === undefined) wrong.push(spike);
    else found.set(one.name, spike);
  }
  const scans = judged.filter(({ kind }) => kind === "scan").length;
  return {
    missed: meant.filter(({ told, name }) => told === true && !found.has(name)).map(({ name }) => name),
    short: meant.filter(({ told }) => told === "perhaps").map(({ name }) => ({ name, isTold: found.has(name) })),
    false: wrong,
    scans,
    dayBefore: begun.filter(({ sinceMs }) => sinceMs < day.judgedFromMs),
    missedChange: meant.some(({ name, change }) => change !== undefined && found.get(name)?.follows[0]?.id !== change),
  };
}

function toldOf(day: RecordedDay): readonly Spike[] {
  let state = createSpikes("home");
  const begun: Spike[] = [];
  for (const minute of day.minutes()) {
    const next = step(state, minute);
    state = next.state;
    begun.push(...next.begun);
  }
  return begun;
}
