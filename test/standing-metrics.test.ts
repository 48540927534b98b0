import { expect, test } from "vitest";
import { createMetrics } from "../src/metrics.ts";
import type { InForce, Standing } from "../src/standing-metrics.ts";

const quarantine: InForce = { cluster: "eu", kind: "quarantine", verdict: "not-isolated", isDrifted: true };
const allowance: InForce = { cluster: "eu", kind: "allowance", verdict: "other", isDrifted: false };
const standing: Standing = {
  slackConnected: true,
  audit: { reached: true, spooledBytes: 0 },
  clusters: [{ name: "eu", cacheAgeMs: 1_000, reaper: { isFresh: true, ageMs: 500 } }],
  inForce: [quarantine, allowance],
};

test("What is in force is told by its verdict, and how much of it is not as it was written", async () => {
  const metrics = createMetrics();
  metrics.standing.stands(standing);
  const text = await metrics.text();
  expect(text).toContain('bulkhead_in_force{cluster="eu",kind="quarantine",verdict="not-isolated"} 1');
  expect(text).toContain('bulkhead_in_force{cluster="eu",kind="quarantine",verdict="isolated"} 0');
  expect(text).toContain('bulkhead_in_force{cluster="eu",kind="allowance",verdict="other"} 1');
  expect(text).toContain('bulkhead_drifted{cluster="eu"} 1');
  metrics.standing.stands({ ...standing, inForce: [allowance] });
  expect(await metrics.text()).toContain('bulkhead_drifted{cluster="eu"} 0');
});

test("With the store away what is in force stays as it was told last", async () => {
  const metrics = createMetrics();
  metrics.standing.stands(standing);
  metrics.standing.stands({ ...standing, inForce: undefined });
  expect(await metrics.text()).toContain('bulkhead_drifted{cluster="eu"} 1');
});
