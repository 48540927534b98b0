import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../src/policy/duration.ts";

test.each([
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["2h", 7_200_000],
  ["1h30m", 5_400_000],
  ["1d", 86_400_000],
  ["0s", undefined],
  ["-2h", undefined],
  ["2", undefined],
  ["h", undefined],
  ["", undefined],
  ["400d", undefined],
  ["1.5h", undefined],
])("%s is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [87, "87 ms"],
  [2_000, "2 s"],
  [2_350, "2.4 s"],
  [60_000, "1m"],
  [5_430_000, "1h 30m"],
  [90_000_000, "1d 1h"],
])("%s ms reads %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
