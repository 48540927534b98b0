import { expect, test } from "vitest";
import type { FlowItem, FlowRecord } from "../src/flows/record.ts";
import { createMetrics } from "../src/metrics.ts";

const end = {
  address: "10.0.0.1",
  namespace: undefined,
  pod: undefined,
  workload: undefined,
  names: [],
  entity: undefined,
};
const record: FlowRecord = {
  format: "hubble",
  id: undefined,
  verdict: { kind: "denied", reason: "no-rule" },
  from: end,
  to: end,
  protocol: "TCP",
  fromPort: 40_000,
  toPort: 80,
  direction: "egress",
  isReply: false,
  isNew: true,
  fromMs: 0,
  toMs: 0,
  count: 7,
  unit: "events",
  atLeast: false,
  policies: [],
  node: undefined,
  dnsQuery: undefined,
};
const flow: FlowItem = { kind: "flow", record };
const hostile: FlowItem = { kind: "unsupported", what: 'a"\n} 1', advice: "x" };

async function linesOf(metrics: ReturnType<typeof createMetrics>): Promise<readonly string[]> {
  return (await metrics.text()).split("\n").filter((line) => /^bulkhead_flow_(?!write)/.test(line));
}

test("What a source brought is counted by kind, format and verdict, and no label is what a line said", async () => {
  const metrics = createMetrics();
  const lost: FlowItem = { kind: "lost", count: 40, atMs: 0, node: "node-1" };
  metrics.flows.brought(
    "push",
    [flow, flow, lost, hostile, { kind: "unreadable", why: "x" }, { kind: "passed" }],
    true,
  );
  metrics.flows.brought("loki", [flow], false);
  metrics.flows.evicted(3);
  metrics.flows.queue(12);
  expect(await linesOf(metrics)).toEqual([
    'bulkhead_flow_records_total{source="push",format="hubble",verdict="denied"} 2',
    'bulkhead_flow_unread_total{source="push",why="unsupported"} 1',
    'bulkhead_flow_unread_total{source="push",why="unreadable"} 1',
    'bulkhead_flow_lost_total{source="push"} 40',
    'bulkhead_flow_refused_total{source="loki"} 1',
    "bulkhead_flow_evicted_total 3",
    "bulkhead_flow_queue 12",
  ]);
});

test("A source is up, down, or another replica's to tell", async () => {
  const metrics = createMetrics();
  const state = {
    name: "relay",
    cluster: "eu",
    kind: "hubble-relay",
    why: undefined,
    formats: [],
    lastFlowMs: 1,
  } as const;
  const upOf = async () => (await linesOf(metrics)).filter((line) => line.includes("_up"));
  metrics.flows.source({ ...state, state: "failing" });
  expect(await upOf()).toEqual(['bulkhead_flow_source_up{cluster="eu",source="relay"} 0']);
  metrics.flows.source({ ...state, state: "connected" });
  expect(await upOf()).toEqual(['bulkhead_flow_source_up{cluster="eu",source="relay"} 1']);
  metrics.flows.source({ ...state, state: "elsewhere" });
  expect(await upOf()).toEqual([]);
});
