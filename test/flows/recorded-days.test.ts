import { expect, test } from "vitest";
import { judgeDay } from "./judge-day.ts";

/** The figures in baseline.ts and spike-series.ts were chosen on seeds 1 to 20; these were not looked at for that. */
const seeds = Array.from({ length: 50 }, (_, index) => 101 + index);

test("A recorded day: every spike that was planted, no other, and one word of the scanner", () => {
  const { missed, false: wrong, scans, missedChange, dayBefore } = judgeDay(1);
  expect({ missed, wrong, scans, missedChange }).toEqual({ missed: [], wrong: [], scans: 1, missedChange: false });
  // On the day before, the job of its first night.
  expect(dayBefore.map(({ namespaces }) => namespaces)).toEqual([["nightly"]]);
});

test("Fifty recorded days: what was missed, what was told wrongly", { timeout: 1_800_000 }, () => {
  const verdicts = seeds.map((seed) => ({ seed, ...judgeDay(seed) }));
  const told = verdicts.map(({ seed, missed, false: wrong, scans, missedChange }) => ({
    seed,
    missed,
    wrong: wrong.map(
      ({ kind, sinceMs, namespaces }) => `${kind} ${new Date(sinceMs).toISOString()} ${namespaces.join()}`,
    ),
    scans,
    missedChange,
  }));
  const notable = told.filter(({ missed, wrong, scans }) => missed.length > 0 || wrong.length > 0 || scans !== 1);
  const sum = (of: (one: (typeof told)[number]) => number): number => told.reduce((all, one) => all + of(one), 0);
  const [missed, wrong] = [sum((one) => one.missed.length), sum((one) => one.wrong.length)];
  process.stdout.write(`${seeds.length} days: ${missed} of ${seeds.length * 5} spikes missed, ${wrong} told wrongly\n`);
  process.stdout.write(`${notable.map((one) => JSON.stringify(one)).join("\n")}\n`);
  expect(told.filter(({ missedChange }) => missedChange)).toEqual([]);
  // One was measured: a burst that three minutes cut off before it rose above what chance does to a noisy pair.
  expect(told.flatMap((one) => one.missed).length).toBeLessThanOrEqual(2);
  expect(Math.max(...told.map(({ wrong }) => wrong.length))).toBeLessThanOrEqual(1);
  expect(told.filter(({ scans }) => scans > 1)).toEqual([]);
});
