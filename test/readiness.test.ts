import { expect, test } from "vitest";
import { KubernetesError } from "../src/kubernetes/failure.ts";
import type { WatchState } from "../src/kubernetes/watch-progress.ts";
import { readinessOf } from "../src/readiness.ts";

const reading: WatchState = {
  path: "/api/v1/pods",
  synced: false,
  seenAtMs: undefined,
  triedAtMs: 0,
  problem: undefined,
};
const well = { mode: "http", slackConnected: true, redisAnswers: true, watches: [] } as const;

test("Over HTTP Redis is no condition and is named; by Socket Mode it is one", () => {
  const named = ["Redis does not answer"];
  expect(readinessOf({ ...well, redisAnswers: false })).toEqual({ missing: [], degraded: named });
  expect(readinessOf({ ...well, mode: "socket", redisAnswers: false })).toEqual({ missing: named, degraded: [] });
});

test.each(["http", "socket"] as const)("By %s Slack and the first reading of the cluster are conditions", (mode) => {
  expect(readinessOf({ ...well, mode })).toEqual({ missing: [], degraded: [] });
  expect(readinessOf({ ...well, mode, slackConnected: false }).missing).toEqual([expect.stringContaining("Slack")]);
  expect(readinessOf({ ...well, mode, watches: [reading] }).missing).toEqual([expect.stringContaining("cache")]);
});

test("A cluster that does not answer is waited for no longer than until it fails", () => {
  const failed = { ...reading, problem: new KubernetesError({ kind: "unreachable", message: "down" }) };
  expect(readinessOf({ ...well, watches: [failed] }).missing).toEqual([]);
});
