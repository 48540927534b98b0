import { expect, test } from "vitest";
import { minutesDue } from "../../src/commands/spike-minutes.ts";

const minuteMs = 60_000;
const nowMs = Date.UTC(2026, 0, 5, 9);

test("Minutes are due one after the other up to now, of the first time those of an hour", () => {
  expect(minutesDue(nowMs - 3 * minuteMs, nowMs + 1)).toEqual([nowMs - 2 * minuteMs, nowMs - minuteMs]);
  expect(minutesDue(nowMs - minuteMs, nowMs + 1)).toEqual([]);
  expect(minutesDue(undefined, nowMs)).toHaveLength(60);
});

test("A replica whose clock is a little behind waits, and judges no minute a second time", () => {
  expect(minutesDue(nowMs + 5 * minuteMs, nowMs)).toEqual([]);
});

test("A replica whose clock was far ahead keeps nobody from judging what is now", () => {
  expect(minutesDue(nowMs + 365 * 1_440 * minuteMs, nowMs)).toEqual([nowMs - minuteMs]);
});
