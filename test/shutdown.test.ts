import { expect, test } from "vitest";
import { type Ending, shutDown } from "../src/shutdown.ts";

const never = (): Promise<never> => new Promise(() => undefined);
const limits = { briefMs: 30, drainMs: 60 };

/** An ending that says what was called, and where a part does something else than end at once. */
function anEnding(calls: string[], changes: Partial<Ending> = {}): Ending {
  const named = (name: keyof Ending) => (ms?: number) => {
    calls.push(name);
    return changes[name]?.(ms ?? 0) ?? Promise.resolve();
  };
  return { stop: named("stop"), flush: named("flush"), drain: named("drain"), close: named("close") };
}

test("What is in memory is written before what is under way is waited for, and again afterwards", async () => {
  const calls: string[] = [];
  expect(await shutDown(anEnding(calls))).toEqual({ drained: true, problems: [] });
  expect(calls).toEqual(["stop", "flush", "drain", "flush", "close"]);
});

test.each(["stop", "flush", "drain", "close"] as const)(
  "A %s that never ends, or fails, keeps nothing else from being done",
  async (part) => {
    for (const work of [never, () => Promise.reject(new Error("broken"))]) {
      const calls: string[] = [];
      const { drained, problems } = await shutDown(anEnding(calls, { [part]: work }), limits);
      expect(calls).toEqual(["stop", "flush", "drain", "flush", "close"]);
      const times = part === "flush" ? 2 : 1;
      const said = work === never ? /not done within \d+ ms/ : /broken/;
      expect(problems).toEqual(Array.from({ length: times }, () => expect.stringMatching(said)));
      expect(drained).toBe(part !== "drain");
      expect(problems[0]).toMatch(new RegExp(`^${part}: `));
    }
  },
);

test("Draining is told how long it may take", async () => {
  const told: number[] = [];
  await shutDown(
    anEnding([], {
      drain(ms) {
        told.push(ms);
        return Promise.resolve();
      },
    }),
    limits,
  );
  expect(told).toEqual([60]);
});
