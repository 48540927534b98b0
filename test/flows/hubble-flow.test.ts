import { expect, test } from "vitest";
import { itemOfHubble } from "../../src/flows/hubble-flow.ts";
import { createHubbleReader } from "../../src/flows/hubble-reader.ts";
import type { FlowItem, FlowRecord } from "../../src/flows/record.ts";

const carried = { atMs: Date.UTC(2026, 6, 15), node: "carrier-node" };
const drop = { type: 1, sub_type: 133 };
const verdict = { type: 5 };
const base = {
  time: "2026-07-15T01:30:19.361221854Z",
  IP: { source: "10.0.0.1", destination: "10.0.0.2" },
  l4: { TCP: { source_port: 40_000, destination_port: 80 } },
};

function itemOf(flow: object): FlowItem {
  return itemOfHubble({ flow: { ...base, ...flow } }, carried);
}

function recordOf(flow: object): FlowRecord {
  const item = itemOf(flow);
  if (item.kind !== "flow") throw new Error(`It became ${JSON.stringify(item)}`);
  return item.record;
}

test.each([
  [
    { verdict: "DROPPED", event_type: drop, drop_reason_desc: "POLICY_DENIED" },
    { kind: "denied", reason: "no-rule" },
  ],
  [
    { verdict: 2, event_type: drop, drop_reason_desc: 133 },
    { kind: "denied", reason: "no-rule" },
  ],
  [
    { verdict: "DROPPED", event_type: verdict, drop_reason: 181 },
    { kind: "denied", reason: "rule" },
  ],
  [
    { verdict: "DROPPED", drop_reason_desc: "AUTH_REQUIRED" },
    { kind: "denied", reason: "authentication" },
  ],
  [
    { verdict: "DROPPED", event_type: drop },
    { kind: "denied", reason: "no-rule" },
  ],
  [
    { verdict: "DROPPED", event_type: verdict },
    { kind: "denied", reason: "unsaid" },
  ],
  [
    { verdict: "DROPPED", event_type: { type: 129 }, Type: "L7" },
    { kind: "denied", reason: "l7" },
  ],
  [
    { verdict: "DROPPED", Type: 2 },
    { kind: "denied", reason: "l7" },
  ],
  [{ drop_reason_desc: "POLICY_DENIED" }, { kind: "denied", reason: "no-rule" }],
  [
    { verdict: "DROPPED", drop_reason: 151 },
    { kind: "dropped", reason: "STALE_OR_UNROUTABLE_IP" },
  ],
  [
    { verdict: "DROPPED", drop_reason_desc: 250 },
    { kind: "dropped", reason: "DROP_REASON_250" },
  ],
  [
    { verdict: "DROPPED", drop_reason_desc: "NEWER_REASON" },
    { kind: "dropped", reason: "NEWER_REASON" },
  ],
  [{ verdict: "DROPPED" }, { kind: "dropped", reason: "DROP_REASON_UNKNOWN" }],
  [{ verdict: "ERROR" }, { kind: "dropped", reason: "ERROR" }],
  [
    { verdict: "AUDIT", event_type: verdict },
    { kind: "audited", reason: "unsaid" },
  ],
  [
    { verdict: 4, event_type: verdict, drop_reason_desc: "POLICY_DENIED" },
    { kind: "audited", reason: "no-rule" },
  ],
  [{ verdict: "FORWARDED", event_type: verdict }, { kind: "forwarded" }],
])("%j is %j", (flow, expected) => {
  expect(recordOf(flow).verdict).toEqual(expected);
});

test.each([
  ["to an endpoint", 0, "flow"],
  ["to a proxy", 1, "passed"],
  ["to the host", 2, "flow"],
  ["to the stack", 3, "flow"],
  ["to an overlay", 4, "flow"],
  ["from an endpoint", 5, "passed"],
  ["from a proxy", 6, "passed"],
  ["from the host", 7, "passed"],
  ["from the stack", 8, "passed"],
  ["from an overlay", 9, "passed"],
  ["from the network", 10, "passed"],
  ["to the network", 11, "flow"],
])("A packet that is seen %s proves that a policy let it through, or not", (_point, sub_type, kind) => {
  expect(itemOf({ verdict: "FORWARDED", event_type: { type: 4, sub_type } }).kind).toBe(kind);
});

test.each([
  { verdict: "REDIRECTED", event_type: verdict },
  { verdict: "TRACED" },
  { verdict: 7 },
  { verdict: 99 },
  { verdict: "NEWER_VERDICT" },
  { verdict: "FORWARDED" },
  { verdict: "FORWARDED", event_type: { type: 129 } },
])("%j says nothing of what a policy did", (flow) => {
  expect(itemOf(flow)).toEqual({ kind: "passed" });
});

test("A flow of which a field mask left neither verdict nor reason says what to put into the mask", () => {
  expect(itemOf({})).toMatchObject({ kind: "unreadable", why: expect.stringContaining("field mask") });
});

test("Policies are named for an explicit deny alone, and never those that allowed", () => {
  const by = {
    egress_denied_by: [{ name: "deny-world", namespace: "shop", kind: "CiliumNetworkPolicy" }],
    ingress_denied_by: [
      { name: "deny-all", labels: ["k8s:io.cilium.k8s.policy.derived-from=CiliumClusterwideNetworkPolicy"] },
    ],
    egress_allowed_by: [{ name: "allow-some", namespace: "shop" }],
    ingress_allowed_by: [{ name: "allow-more", namespace: "shop" }],
  };
  const named = [
    { kind: "CiliumNetworkPolicy", namespace: "shop", name: "deny-world" },
    { kind: "CiliumClusterwideNetworkPolicy", namespace: undefined, name: "deny-all" },
  ];
  expect(recordOf({ verdict: "DROPPED", drop_reason_desc: "POLICY_DENY", ...by }).policies).toEqual(named);
  expect(recordOf({ verdict: "DROPPED", drop_reason_desc: "POLICY_DENIED", ...by }).policies).toEqual([]);
  expect(recordOf({ verdict: "AUDIT", ...by }).policies).toEqual([]);
});

test.each([
  [{ labels: ["reserved:host"] }, "host"],
  [{ labels: ["reserved:remote-node", "reserved:kube-apiserver"] }, "kube-apiserver"],
  [{ labels: ["cidr:1.1.1.1/32", "reserved:world"] }, "world"],
  [{ labels: ["reserved:world-ipv6"] }, "world"],
  [{ identity: 4 }, "health"],
  [{ identity: 6 }, "remote-node"],
  [{ labels: ["reserved:unknown"] }, undefined],
  [{ identity: 16_777_218 }, undefined],
  [{ labels: ["reserved:host"], pod_name: "p", namespace: "n" }, undefined],
])("An endpoint with %j is %s", (source, entity) => {
  expect(recordOf({ verdict: "DROPPED", source }).from.entity).toBe(entity);
});

test.each([
  [true, true],
  [false, false],
  [{ value: true }, true],
  [{ value: false }, false],
  [undefined, undefined],
  [null, undefined],
  ["yes", undefined],
])("is_reply %j is read as %s", (is_reply, expected) => {
  expect(recordOf({ verdict: "DROPPED", is_reply }).isReply).toBe(expected);
});

test.each([
  [{ SYN: true }, true],
  [{ SYN: true, ACK: true }, false],
  [{ RST: true }, false],
  [undefined, undefined],
])("TCP with flags %j opens a connection: %s", (flags, expected) => {
  const l4 = { TCP: { source_port: 1, destination_port: 2, flags } };
  expect(recordOf({ verdict: "DROPPED", l4 }).isNew).toBe(expected);
});

test.each([
  ["2026-07-15T01:30:19.361221854Z", Date.UTC(2026, 6, 15, 1, 30, 19, 361)],
  ["2026-07-15T03:30:19+02:00", Date.UTC(2026, 6, 15, 1, 30, 19)],
  [{ seconds: "1784079019", nanos: 361_221_854 }, 1_784_079_019_361],
  [{ seconds: 1_784_079_019 }, 1_784_079_019_000],
  [{ seconds: "-1" }, carried.atMs],
  ["yesterday", carried.atMs],
  [undefined, carried.atMs],
])("The time %j is %i", (time, expected) => {
  expect(recordOf({ verdict: "DROPPED", time })).toMatchObject({ fromMs: expected, toMs: expected });
});

test("Numbers of enums say the same as their names", () => {
  const named = {
    verdict: "DROPPED",
    drop_reason_desc: "POLICY_DENIED",
    traffic_direction: "INGRESS",
    event_type: drop,
  };
  const numbered = { verdict: 2, drop_reason_desc: 133, traffic_direction: 1, event_type: drop };
  expect(recordOf(numbered)).toEqual(recordOf(named));
  expect(recordOf({ ...numbered, traffic_direction: 9 }).direction).toBe(undefined);
});

test("Where the flow does not name its node, its response or its carrier does", () => {
  const flow = { ...base, verdict: "DROPPED" };
  const nodeOf = (response: object) => itemOfHubble(response, carried);
  expect(nodeOf({ flow: { ...flow, node_name: "kind-kind/worker" }, node_name: "relay" })).toMatchObject({
    record: { node: "worker" },
  });
  expect(nodeOf({ flow, node_name: "worker" })).toMatchObject({ record: { node: "worker" } });
  expect(nodeOf({ flow })).toMatchObject({ record: { node: "carrier-node" } });
});

test("Lost events are counted, and what agents tell of themselves is passed", () => {
  const lost = { lost_events: { num_events_lost: "12" }, node_name: "n", time: { seconds: "1784079019" } };
  expect(itemOfHubble(lost, carried)).toEqual({ kind: "lost", count: 12, atMs: 1_784_079_019_000, node: "n" });
  expect(itemOfHubble({ lost_events: {} }, carried)).toMatchObject({ kind: "lost", count: 1 });
  expect(itemOfHubble({ node_status: {} }, carried)).toEqual({ kind: "passed" });
  expect(itemOfHubble({ agent_event: {} }, carried)).toEqual({ kind: "passed" });
});

test("A record of an aggregation counts by direction, over the time before it", () => {
  const read = createHubbleReader();
  const flow = (aggregate: object) => ({
    flow: { verdict: "DROPPED", drop_reason_desc: "POLICY_DENIED", aggregate },
    time: base.time,
  });
  const toMs = Date.UTC(2026, 6, 15, 1, 30, 19, 361);
  const both = read(flow({ ingress_flow_count: 3, egress_flow_count: "184" }), carried);
  expect(both).toMatchObject([
    { record: { direction: "ingress", count: 3, fromMs: toMs - 30_000, toMs } },
    { record: { direction: "egress", count: 184, unit: "events" } },
  ]);
  expect(read(flow({ unknown_direction_flow_count: 5 }), carried)).toMatchObject([
    { record: { direction: undefined, count: 5 } },
  ]);
  expect(read(flow({}), carried)).toEqual([{ kind: "passed" }]);
});

test("A batch that comes again counts no more, also where it begins between the two flows of a packet", () => {
  const read = createHubbleReader();
  const flow = { ...base, verdict: "DROPPED", drop_reason_desc: "POLICY_DENIED" };
  const first = { flow: { ...flow, uuid: "first", event_type: verdict } };
  const second = { flow: { ...flow, uuid: "second", event_type: drop } };
  const kinds = [first, second, second, first, second].flatMap((one) => read(one, carried)).map(({ kind }) => kind);
  expect(kinds).toEqual(["flow", "passed", "passed", "passed", "passed"]);
});
