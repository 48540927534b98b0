import { expect, test } from "vitest";
import { createFlowMeter } from "../src/flow-meter.ts";
import type { FlowMetrics } from "../src/flow-metrics.ts";
import type { Batch, Ledger } from "../src/flows/ledger.ts";
import type { FlowItem } from "../src/flows/record.ts";

const passed: FlowItem = { kind: "passed" };

function measured() {
  const told: (readonly [string, unknown])[] = [];
  const metrics: FlowMetrics = {
    brought: (kind, items, wasTaken) => told.push(["brought", [kind, items.length, wasTaken]]),
    source: () => undefined,
    queue: (length) => told.push(["queue", length]),
    written: (lagMs) => told.push(["lag", lagMs]),
    evicted: (count) => told.push(["evicted", count]),
  };
  return { metrics, last: (what: string) => told.findLast(([name]) => name === what)?.[1] };
}

const batch: Batch = {
  id: "1",
  tallies: [],
  losses: [
    { cluster: "eu", minuteMs: 0, kind: "evicted", count: 3 },
    { cluster: "eu", minuteMs: 0, kind: "source", count: 9 },
  ],
};

test("What was taken waits until a write went well, however often it is tried, and what was refused does not", async () => {
  let nowMs = 0;
  let isAway = true;
  const { metrics, last } = measured();
  const meter = createFlowMeter(metrics, () => nowMs);
  let isFull = false;
  const sink = meter.sink({ take: () => !isFull }, "push");
  const store: Ledger = {
    write: async () => (isAway ? Promise.reject(new Error("away")) : undefined),
    read: () => Promise.reject(new Error("not asked")),
    tend: async () => undefined,
  };
  const ledger = meter.ledger(store);
  nowMs = 1_000;
  expect(sink.take("eu", [passed, passed])).toBe(true);
  nowMs = 2_000;
  await expect(ledger.write(batch)).rejects.toThrow("away");
  sink.take("eu", [passed]);
  isFull = true;
  expect(sink.take("eu", [passed])).toBe(false);
  expect([last("queue"), last("brought"), last("lag")]).toEqual([3, ["push", 1, false], undefined]);
  [isAway, nowMs] = [false, 3_000];
  await ledger.write(batch);
  expect([last("queue"), last("lag"), last("evicted")]).toEqual([1, 2_000, 3]);
  await ledger.write({ ...batch, id: "2" });
  expect([last("queue"), last("lag")]).toEqual([0, 1_000]);
});
