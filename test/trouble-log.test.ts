import { expect, test } from "vitest";
import { KubernetesError } from "../src/kubernetes/failure.ts";
import type { WatchState } from "../src/kubernetes/watch-progress.ts";
import { redisTrouble, sweepTrouble, watchTrouble } from "../src/trouble-log.ts";

/** What is logged, as level and message, and how often something is counted. */
function listening() {
  const lines: string[] = [];
  const counted: string[] = [];
  const at = (level: string) => (given: object, message?: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(given)}`);
  const log = { error: at("error"), warn: at("warn"), info: at("info") };
  const metrics = { meter: (event: { kind: string }) => void counted.push(event.kind) };
  return { lines, counted, outlets: { log: log as Parameters<typeof sweepTrouble>[1]["log"], metrics } };
}

test("A sweep that fails each second is one line, another when it works again, and is counted each time", () => {
  const { lines, counted, outlets } = listening();
  const trouble = sweepTrouble("takeover", outlets);
  for (let run = 0; run < 600; run += 1) trouble.onError(new Error("Redis is away"), run > 0);
  trouble.onRecovery?.();
  trouble.onError(new Error("Redis is away"), false);
  expect(counted).toHaveLength(601);
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["error", "info", "error"]);
  expect(lines[0]).toContain('"sweep":"takeover"');
});

/** A cluster of two watches that fail and work again when they are told to, and whose clock passes when it is. */
function aCluster() {
  const { lines, counted, outlets } = listening();
  const states = new Map<string, WatchState>();
  let at = 0;
  const work = (path: string): void => {
    states.set(path, { path, synced: true, seenAtMs: at, triedAtMs: at, problem: undefined });
  };
  for (const path of ["/pods", "/services"]) work(path);
  const tell = watchTrouble({ ...outlets, cluster: "us", watches: () => [...states.values()], now: () => at });
  return {
    lines,
    counted,
    work,
    pass: (ms: number) => void (at += ms),
    fail: (path: string, kind: "unreachable" | "unauthorized" = "unreachable"): void => {
      const problem = new KubernetesError({ kind, message: "no answer" });
      tell(problem, path);
      states.set(path, { path, synced: true, seenAtMs: 0, triedAtMs: at, problem });
    },
    tell,
  };
}

test("A cluster that is down is one line, however many watches try and however long, and one for each kind", () => {
  const { lines, counted, fail, pass } = aCluster();
  for (let second = 0; second < 1_000; second += 1) {
    fail("/pods");
    fail("/services");
    pass(1_000);
  }
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^warn watch .*"cluster":"us","path":"\/pods","kind":"unreachable"/);
  fail("/pods", "unauthorized");
  expect(lines).toHaveLength(2);
  expect(counted).toHaveLength(2_001);
});

test("One that works again and fails again is told again, at most once a minute, and never forgotten", () => {
  const { lines, fail, pass, work } = aCluster();
  fail("/pods");
  for (let second = 0; second < 50; second += 1) {
    work("/pods");
    pass(1_000);
    fail("/pods");
  }
  expect(lines).toHaveLength(1);
  pass(10_000);
  fail("/pods");
  expect(lines).toHaveLength(2);
  pass(600_000);
  fail("/pods");
  expect(lines).toHaveLength(2);
});

test("What a listener throws is told once a minute, too", () => {
  const { lines, tell, pass } = aCluster();
  for (let second = 0; second < 90; second += 1) {
    tell(new TypeError("of ours"), "/pods");
    pass(1_000);
  }
  expect(lines).toHaveLength(2);
});

test("Redis that is tried twice a second is a line a minute, with how many failures it stands for", () => {
  const { lines, outlets } = listening();
  let now = 0;
  const onError = redisTrouble(outlets.log, () => now);
  for (; now < 120_000; now += 500) onError(new Error("ECONNREFUSED"));
  expect(lines.map((line) => /"failures":(\d+)/.exec(line)?.[1])).toEqual(["1", "120"]);
});
