import fc from "fast-check";
import { expect, test } from "vitest";
import { createServerClock } from "../../src/kubernetes/server-time.ts";

const epoch = Date.UTC(2026, 10, 21, 4);

/** A monotonic clock, and servers whose clocks are ahead of `epoch` plus that by so much. */
function world() {
  let mono = 5_000;
  const clock = createServerClock(() => mono);
  return {
    clock,
    pass: (ms: number): void => {
      mono += ms;
    },
    /** An answer that took so long, whose Date was written in its middle. */
    ask: (aheadMs = 0, tripMs = 2): void => {
      const sentAtMs = mono;
      const dateMs = Math.floor((epoch + sentAtMs + tripMs / 2 + aheadMs) / 1_000) * 1_000;
      mono += tripMs;
      clock.heard({ dateMs, sentAtMs, heardAtMs: mono });
    },
    /** How far the bounds are from a clock that is ahead by so much. */
    around: (aheadMs = 0) => {
      const { earliestMs, latestMs } = clock.time()!;
      const truth = epoch + mono + aheadMs;
      return { early: truth - earliestMs, late: latestMs - truth };
    },
  };
}

test("Nothing is known before the first answer, and nothing two minutes after the last", () => {
  const { clock, ask, pass } = world();
  expect(clock.time()).toBeUndefined();
  ask();
  expect(clock.time()).toBeDefined();
  pass(120_001);
  expect(clock.time()).toBeUndefined();
});

test("The bounds always hold the server's clock, and answers in all parts of a second leave some milliseconds of it", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(900), fc.integer({ min: 1, max: 40 })), { minLength: 1 }), (asks) => {
      const { ask, pass, around } = world();
      for (const [waitMs, tripMs] of asks) {
        pass(waitMs);
        ask(0, tripMs);
        const { early, late } = around();
        expect(Math.min(early, late)).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 50 },
  );
  const { ask, pass, around } = world();
  for (let index = 0; index < 40; index += 1) {
    ask();
    pass(137);
  }
  expect(around().early).toBeLessThan(60);
  expect(around().late).toBeLessThan(60);
});

test("Of two servers whose clocks differ the slower one decides over the earliest bound", () => {
  const { ask, pass, around } = world();
  for (let index = 0; index < 60; index += 1) {
    ask(index % 2 === 0 ? 0 : 2_500);
    pass(113);
  }
  expect(around(0).early).toBeGreaterThanOrEqual(0);
  expect(around(0).early).toBeLessThan(200);
  expect(around(2_500).late).toBeGreaterThanOrEqual(0);
});

test.each([300_000, -300_000])(
  "A clock that was stepped by %i ms is followed within 10 s, and no end comes early",
  (step) => {
    const { ask, pass, around } = world();
    for (let index = 0; index < 20; index += 1) {
      ask();
      pass(331);
    }
    ask(step);
    expect(around(step).early).toBeGreaterThanOrEqual(0);
    pass(10_001);
    ask(step);
    expect(around(step).early).toBeLessThan(1_050);
    expect(around(step).early).toBeGreaterThanOrEqual(0);
  },
);
