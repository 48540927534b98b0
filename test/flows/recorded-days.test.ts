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

test("Fifty recorded days: none missed, none told wrongly, and how many are found that are shorter", {
  timeout: 1_800_000,
}, () => {
  const verdicts = seeds.map((seed) => ({ seed, ...judgeDay(seed) }));
  const short = Map.groupBy(
    verdicts.flatMap((one) => one.short),
    ({ name }) => name,
  );
  for (const [name, all] of short) {
    process.stdout.write(`${name}: ${all.filter(({ isTold }) => isTold).length} of ${all.length} were told\n`);
  }
  const notable = verdicts.filter(
    ({ missed, false: wrong, scans, missedChange }) =>
      missed.length > 0 || wrong.length > 0 || scans !== 1 || missedChange,
  );
  expect(notable.map(({ dayBefore: _dayBefore, ...one }) => one)).toEqual([]);
});
