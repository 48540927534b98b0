import { expect, test } from "vitest";
import { createPending } from "../../src/commands/observe-portion.ts";

const at = Date.UTC(2026, 0, 1);
const seen = { count: 1, atLeast: false, firstAt: at, lastAt: at };

function pending() {
  let ids = 0;
  return createPending(() => `portion ${(ids += 1)}`);
}

test("what was not stored is the same portion again, and what came meanwhile is in the next one", () => {
  const waiting = pending();
  expect(waiting.portion()).toBeUndefined();
  waiting.count("denied", seen);
  const first = waiting.portion();
  waiting.count("denied", { ...seen, count: 5, lastAt: at + 9 });
  waiting.count("denied", { ...seen, atLeast: true });
  expect(waiting.portion()).toBe(first);
  waiting.stored();
  expect(waiting.portion()).toEqual({
    id: "portion 2",
    counters: [{ name: "denied", count: 6, atLeast: true, firstAt: at, lastAt: at + 9 }],
    lines: [],
  });
  waiting.stored();
  expect(waiting.portion()).toBeUndefined();
});

test("a flood is a bounded number of lines, and those that are there go on counting", () => {
  const waiting = pending();
  for (let line = 0; line < 100_000; line += 1) waiting.line(`line ${line}`, seen, 200);
  waiting.line("line 0", seen, 200);
  const lines = waiting.portion()?.lines ?? [];
  expect(lines).toHaveLength(300);
  expect(lines[0]).toMatchObject({ name: "line 0", count: 2 });
});
