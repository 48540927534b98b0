import fc from "fast-check";
import { expect, test } from "vitest";
import { betweenLooks, firstLook, nextLook, type WatchSchedule } from "../../src/flows/watch-times.ts";

const schedules = fc.oneof(
  fc.integer({ min: 5, max: 48 * 60 }).map((minutes): WatchSchedule => ({ kind: "every", everyMs: minutes * 60_000 })),
  fc.integer({ min: 0, max: 24 * 60 - 1 }).map((minute): WatchSchedule => ({ kind: "at", minute })),
);
const moments = fc.integer({ min: 0, max: 4e12 });

test("The next look is later than now, by one time between looks at most, and on the same beat", () => {
  fc.assert(
    fc.property(schedules, moments, fc.integer({ min: 0, max: 1e9 }), (schedule, setMs, lateMs) => {
      const dueMs = firstLook(schedule, setMs);
      expect(dueMs).toBeGreaterThanOrEqual(setMs);
      const nowMs = dueMs + lateMs;
      const next = nextLook(schedule, dueMs, nowMs);
      expect(next).toBeGreaterThan(nowMs);
      expect(next - nowMs).toBeLessThanOrEqual(betweenLooks(schedule));
      expect((next - dueMs) % betweenLooks(schedule)).toBe(0);
    }),
  );
});

test("A time of day is one of UTC, today or tomorrow", () => {
  const nine: WatchSchedule = { kind: "at", minute: 540 };
  const at = (hour: number) => Date.UTC(2026, 0, 5, hour);
  expect(firstLook(nine, at(8))).toBe(at(9));
  expect(firstLook(nine, at(9))).toBe(at(9));
  expect(firstLook(nine, at(10))).toBe(at(33));
});
