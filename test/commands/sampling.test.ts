import { beforeEach, expect, test } from "vitest";
import { createSampler, type Sampler } from "../../src/commands/sampling.ts";

let now: number;
let sampler: Sampler<string>;
beforeEach(() => {
  now = 1_000;
  sampler = createSampler({ now: () => now, everyMs: 60_000, mostKinds: 3 });
});

test("The first of a kind is told at once, those after it are counted", () => {
  expect(sampler.take("a", "first")).toEqual({ value: "first", held: 0 });
  for (let at = 0; at < 999; at += 1) expect(sampler.take("a", `again ${at}`)).toBeUndefined();
  now += 60_000;
  expect(sampler.take("a", "later")).toEqual({ value: "later", held: 999 });
  expect(sampler.take("a", "too soon")).toBeUndefined();
});

test("Kinds do not hold each other back", () => {
  expect(sampler.take("a", "one")).toBeDefined();
  expect(sampler.take("b", "two")).toBeDefined();
});

test("What was only counted is told when its time has come, though nothing further comes", () => {
  sampler.take("a", "first");
  sampler.take("a", "second");
  sampler.take("a", "third");
  expect(sampler.due()).toEqual([]);
  now += 60_000;
  expect(sampler.due()).toEqual([{ value: "third", held: 1 }]);
  expect(sampler.due()).toEqual([]);
  expect(sampler.take("a", "fourth")).toBeUndefined();
});

test("At the end everything that was counted is told", () => {
  sampler.take("a", "first");
  sampler.take("a", "second");
  expect(sampler.due(true)).toEqual([{ value: "second", held: 0 }]);
  expect(sampler.due(true)).toEqual([]);
});

test("However many kinds there are, few are told and none is lost", () => {
  const told = Array.from({ length: 100 }, (_, at) => sampler.take(`kind ${at}`, `${at}`)).filter(Boolean);
  expect(told).toHaveLength(4);
  now += 60_000;
  expect(sampler.due()).toEqual([{ value: "99", held: 95 }]);
  // Kinds that were quiet are forgotten, so that new ones have a place again.
  expect(sampler.take("new", "x")).toEqual({ value: "x", held: 0 });
});
