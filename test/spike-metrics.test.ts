import { expect, test } from "vitest";
import type { Counted } from "../src/flows/spike.ts";
import { createMetrics } from "../src/metrics.ts";
import { checkout, flow, frontend, postgres, workload } from "./commands/flow-world.ts";

const counted = (of: Counted["key"], count: number): Counted => ({ key: of, count, atLeast: false });
const minute = [
  counted(flow(checkout, postgres), 40),
  counted(flow(frontend, postgres), 7),
  ...Array.from({ length: 1_000 }, (_, nth) => counted(flow(checkout, workload("shop", `s-${nth}`)), 1)),
];

async function linesOf(metrics: ReturnType<typeof createMetrics>, name: string): Promise<readonly string[]> {
  return (await metrics.text()).split("\n").filter((line) => line.startsWith(name));
}

test("Nothing is named unless the configuration says so, and five of each are told by rank", async () => {
  const metrics = createMetrics();
  metrics.spikes.judged("eu", 2, minute);
  expect(await linesOf(metrics, "bulkhead_denied_top_per_minute")).toEqual([
    'bulkhead_denied_top_per_minute{cluster="eu",rank="1",pair=""} 40',
    'bulkhead_denied_top_per_minute{cluster="eu",rank="2",pair=""} 7',
    ...[3, 4, 5].map((rank) => `bulkhead_denied_top_per_minute{cluster="eu",rank="${rank}",pair=""} 1`),
  ]);
  expect(await metrics.text()).not.toMatch(/checkout|postgres|s-1/);
});

test("With names, those that are not among the first any more are gone", async () => {
  const metrics = createMetrics({ names: true });
  metrics.spikes.judged("eu", 2, minute);
  metrics.spikes.judged("eu", 1, [counted({ ...flow(checkout, postgres), direction: "ingress" }, 3)]);
  const shown = await linesOf(metrics, "bulkhead_denied_");
  expect(shown.filter((line) => !line.endsWith(" 0"))).toEqual([
    'bulkhead_denied_per_minute{cluster="eu"} 3',
    'bulkhead_denied_pairs{cluster="eu"} 1',
    'bulkhead_denied_top_per_minute{cluster="eu",rank="1",pair="checkout.payments → postgres.db:5432"} 3',
    'bulkhead_denied_policy_top_per_minute{cluster="eu",rank="1",policy="no-rule postgres.db ingress"} 3',
  ]);
  expect(shown.length).toBe(12);
});

test("A policy that a source names is told by its name, and a hostile one stays on its line", async () => {
  const metrics = createMetrics({ names: true });
  const policies = [{ kind: undefined, namespace: "db", name: 'deny"\n} 1' }];
  metrics.spikes.judged("eu", 0, [counted({ ...flow(checkout, postgres), reason: "rule", policies }, 3)]);
  expect(await linesOf(metrics, "bulkhead_denied_policy_top_per_minute")).toContain(
    'bulkhead_denied_policy_top_per_minute{cluster="eu",rank="1",policy="rule db/deny\\" } 1"} 3',
  );
});

test("What another replica judges now does not stand here for ever", async () => {
  const metrics = createMetrics();
  metrics.spikes.judged("eu", 2, minute);
  metrics.spikes.judged("us", 1, minute);
  metrics.spikes.elsewhere("eu");
  const standing = (await metrics.text()).split("\n").filter((line) => /^bulkhead_(spikes_open|denied_)/.test(line));
  expect(standing.length).toBeGreaterThan(0);
  expect(standing.filter((line) => line.includes('cluster="eu"'))).toEqual([]);
});

test("How long a spike lasted counts when it is quiet, not where it became usual", async () => {
  const metrics = createMetrics();
  const spike = { sinceMs: 60_000 } as Parameters<typeof metrics.spikes.begun>[0];
  metrics.spikes.ended({ spike, why: "quiet", sinceMs: 360_000 });
  metrics.spikes.ended({ spike, why: "usual", sinceMs: 900_000 });
  expect(await linesOf(metrics, "bulkhead_spike_duration_seconds_sum")).toEqual([
    "bulkhead_spike_duration_seconds_sum 300",
  ]);
});
