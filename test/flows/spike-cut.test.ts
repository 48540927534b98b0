import { expect, test } from "vitest";
import { type Cut, nothingCut } from "../../src/flows/spike.ts";
import { pair, quiet, run, startMs, steady } from "./spike-minutes.ts";

/** A quarantine that cuts off all of the namespace cart. */
const quarantined: Cut = {
  inForce: new Set(["q-1"]),
  by: ({ from }) => (from.kind === "workload" && from.namespace === "cart" ? "q-1" : undefined),
};

/** In force from that minute on, before the other. */
const during = (from: number, until: number) => (index: number) =>
  from <= index && index < until ? quarantined : nothingCut;

test("What an operation cuts off is told once, as expected, for as long as it is in force", () => {
  const minutes = [...quiet(60), ...steady("cart", 80, 10), ...quiet(30), ...steady("cart", 80, 10), ...quiet(5)];
  const { begun, ended } = run(minutes, { cutIn: during(60, 110) });
  expect(begun).toMatchObject([{ kind: "expected", operation: "q-1", namespaces: ["cart"], perMinute: 80 }]);
  expect(ended).toMatchObject([{ why: "lifted", sinceMs: startMs + 110 * 60_000 }]);
});

test("What goes on after it is a spike, and what was cut off is no part of that", () => {
  const after = (minutes: number) => [
    ...steady("cart", 2, 60),
    ...steady("cart", 300, 30 + minutes),
    ...steady("cart", 2, 9),
  ];
  expect(run(after(0), { cutIn: during(60, 90) }).begun).toMatchObject([{ kind: "expected" }]);
  const { begun } = run(after(5), { cutIn: during(60, 90) });
  expect(begun).toMatchObject([{ kind: "expected" }, { kind: "spike", sinceMs: startMs + 90 * 60_000 }]);
});

test("It teaches nothing: what was usual before is usual after it", () => {
  const minutes = [...steady("cart", 80, 60), ...steady("cart", 900, 30), ...steady("cart", 80, 30)];
  expect(run(minutes, { cutIn: during(60, 90) }).begun).toMatchObject([{ kind: "expected" }]);
});

test("Beside it anything else is told, in the same namespace, too", () => {
  const cart = (count: number) => [pair("cart", count), { ...pair("cart", count, 9_090), key: elsewhere }];
  const elsewhere = { ...pair("cart", 1, 9_090).key, from: { kind: "node" } as const };
  const { begun } = run([...quiet(60), ...Array.from({ length: 10 }, () => cart(80))], { cutIn: during(60, 70) });
  expect(begun.map(({ kind, pairCount }) => ({ kind, pairCount }))).toEqual([
    { kind: "expected", pairCount: 1 },
    { kind: "new", pairCount: 1 },
  ]);
});

test("A scanner that is cut off is told no more", () => {
  const scan = Array.from({ length: 20 }, (_, minute) =>
    Array.from({ length: 10 }, (_unused, port) => pair("cart", 1, 2_000 + minute * 10 + port)),
  );
  expect(run([...quiet(60), ...scan]).begun).toMatchObject([{ kind: "scan" }]);
  expect(run([...quiet(60), ...scan], { cutIn: during(60, 80) }).begun).toEqual([]);
});
