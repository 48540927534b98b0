import { expect, test } from "vitest";
import type { FlowSourceState } from "../../src/flows/flow-source.ts";
import { followHubbleRelay, type HubbleRelayOptions } from "../../src/flows/hubble-relay.ts";
import { createInterests } from "../../src/flows/interests.ts";
import { waitFor } from "../wait.ts";
import { denied, forwarded, timestamp } from "./hubble-flows.ts";
import { startRelay } from "./relay-server.ts";
import { keepingSink } from "./sinks.ts";

function followed(address: string, more: Partial<HubbleRelayOptions> = {}) {
  const sink = keepingSink();
  const interests = createInterests();
  const states: FlowSourceState[] = [];
  const source = followHubbleRelay({
    name: "hubble",
    cluster: "c",
    address,
    tls: undefined,
    sink,
    interests,
    now: Date.now,
    longestPauseMs: 50,
    onState: (state) => void states.push(state),
    ...more,
  });
  const ids = () => sink.records().map(({ id }) => id);
  return { sink, interests, states, source, ids, [Symbol.asyncDispose]: () => source.stop() };
}

test("One flow comes of each denied packet, and none of what was not asked for, whatever the server knows of filters", async () => {
  for (const knowsFilters of [true, false]) {
    await using relay = await startRelay({ knowsFilters });
    await using bot = followed(relay.address);
    await waitFor(() => relay.open() === 1);
    const now = Date.now();
    const drop = denied(now);
    const l7 = denied(now, { event_type: { type: 129 }, drop_reason: 0, drop_reason_desc: undefined, Type: "L7" });
    const audited = denied(now, { verdict: "AUDIT", event_type: { type: 5 } });
    const last = denied(now);
    relay.saw(
      denied(now, { event_type: { type: 5 } }),
      drop,
      denied(now, { drop_reason: 151, drop_reason_desc: "STALE_OR_UNROUTABLE_IP" }),
      forwarded(now, "EGRESS"),
      l7,
      audited,
      last,
    );
    await waitFor(() => bot.ids().includes(String(last["uuid"])));
    expect(bot.ids()).toEqual([drop, l7, audited, last].map((flow) => flow["uuid"]));
    expect(bot.source.state()).toMatchObject({ name: "hubble", cluster: "c", state: "connected", formats: ["hubble"] });
  }
});

test("An explicit deny comes once, as the verdict that names its policy", async () => {
  for (const knowsFilters of [true, false]) {
    await using relay = await startRelay({ knowsFilters });
    await using bot = followed(relay.address, { otherDrops: true });
    await waitFor(() => relay.open() === 1);
    const explicit = { drop_reason: 181, drop_reason_desc: "POLICY_DENY" };
    const named = { egress_denied_by: [{ name: "deny-world", namespace: "shop", kind: "CiliumNetworkPolicy" }] };
    const last = denied(Date.now());
    relay.saw(
      denied(Date.now(), { ...explicit, ...named, event_type: { type: 5 } }),
      denied(Date.now(), { ...explicit, event_type: { type: 1, sub_type: 181 } }),
      last,
    );
    await waitFor(() => bot.ids().includes(String(last["uuid"])));
    expect(bot.sink.records().map(({ policies }) => policies.map(({ name }) => name))).toEqual([["deny-world"], []]);
  }
});

test("What is dropped for other reasons comes where it is asked for", async () => {
  await using relay = await startRelay();
  await using bot = followed(relay.address, { otherDrops: true });
  await waitFor(() => relay.open() === 1);
  relay.saw(denied(Date.now(), { drop_reason: 151, drop_reason_desc: "STALE_OR_UNROUTABLE_IP" }));
  await waitFor(() => bot.sink.records().length === 1);
  expect(bot.sink.records()[0]?.verdict).toEqual({ kind: "dropped", reason: "STALE_OR_UNROUTABLE_IP" });
});

test("After a break it goes on where it was, each flow once", async () => {
  const before = [denied(Date.now() - 2_000), denied(Date.now() - 1_000)];
  const relay = await startRelay();
  await using bot = followed(relay.address);
  await waitFor(() => relay.open() === 1);
  relay.saw(...before);
  await waitFor(() => bot.ids().length === 2);
  relay.kill();
  await waitFor(() => bot.source.state().state === "failing");
  const meanwhile = [denied(Date.now()), denied(Date.now())];
  await using again = await startRelay({ port: relay.port, ring: [...before, ...meanwhile] });
  await waitFor(() => bot.ids().length === 4);
  again.saw(denied(Date.now()));
  await waitFor(() => bot.ids().length === 5);
  expect(new Set(bot.ids()).size).toBe(5);
  expect(bot.sink.lost()).toBe(0);
  expect(bot.states.map(({ state }) => state)).toEqual(["connected", "failing", "connected"]);
});

test("A server that goes away in an orderly manner is followed to the next one", async () => {
  await using relay = await startRelay();
  await using bot = followed(relay.address, { aliveEveryMs: 50 });
  await waitFor(() => relay.open() === 1);
  relay.saw(denied(Date.now()));
  await waitFor(() => bot.ids().length === 1);
  relay.goAway();
  await waitFor(() => relay.requests.length === 2);
  relay.saw(denied(Date.now()));
  await waitFor(() => bot.ids().length === 2);
});

test("From when on it is to tell is asked of the server, and nothing before", async () => {
  const now = Date.now();
  const [old, recent] = [denied(now - 3_600_000), denied(now - 60_000)];
  await using relay = await startRelay({ ring: [old, recent] });
  await using bot = followed(relay.address, { sinceMs: now - 120_000 });
  await waitFor(() => bot.ids().length === 1);
  expect(bot.ids()).toEqual([recent["uuid"]]);
});

test("Events that were lost are told, once for each time the server says so", async () => {
  const lost = {
    lost_events: { source: "HUBBLE_RING_BUFFER", num_events_lost: "12" },
    node_name: "kind-worker2",
    time: timestamp(Date.now()),
  };
  await using relay = await startRelay();
  await using bot = followed(relay.address);
  await waitFor(() => relay.open() === 1);
  relay.tell(lost);
  relay.tell(lost);
  relay.tell({ ...lost, node_name: "kind-worker3" });
  await waitFor(() => bot.sink.lost() === 24);
});

test("Numbers of enums that nobody knows yet are read for what else they say", async () => {
  await using relay = await startRelay({ knowsFilters: false });
  await using bot = followed(relay.address, { otherDrops: true });
  await waitFor(() => relay.open() === 1);
  const now = Date.now();
  relay.saw(
    denied(now, { verdict: 99 }),
    denied(now, { drop_reason_desc: 250, drop_reason: 250, event_type: { type: 1, sub_type: 250 } }),
    denied(now, { traffic_direction: 77, Type: 88 }),
  );
  relay.tell({ node_status: { state_change: 42, node_names: ["default/new"] } });
  await waitFor(() => bot.sink.records().length === 2 && bot.source.state().why);
  expect(bot.sink.records().map(({ verdict, direction }) => [verdict.kind, direction])).toEqual([
    ["dropped", "egress"],
    ["denied", undefined],
  ]);
});

test("Nodes that relay does not reach are named for as long as it does not", async () => {
  let status: object = { unavailable_nodes: ["default/kind-worker3"], num_unavailable_nodes: { value: 1 } };
  await using relay = await startRelay({ status: () => status });
  await using bot = followed(relay.address, { aliveEveryMs: 30 });
  await waitFor(() => bot.source.state().why?.includes("one node (default/kind-worker3)"));
  expect(bot.source.state().state).toBe("connected");
  status = {};
  await waitFor(() => bot.source.state().why === undefined);
  relay.tell({ node_status: { state_change: "NODE_UNAVAILABLE", node_names: ["a*b\n", "c", "d", "e"] } });
  await waitFor(() => bot.states.some(({ why }) => why?.includes("4 nodes (a*b, c, d and others)")));
});

test("What passed while it was away, and was more than the rings hold, is said to be lost, by the minute", async () => {
  const status = (seen: number) => () => ({
    max_flows: "4095",
    num_connected_nodes: { value: 1 },
    seen_flows: `${seen}`,
  });
  const relay = await startRelay({ status: status(1_000) });
  let nowMs = Date.now();
  await using bot = followed(relay.address, { now: () => nowMs });
  await waitFor(() => relay.open() === 1);
  relay.kill();
  await waitFor(() => bot.source.state().state === "failing");
  nowMs += 3 * 60_000;
  await using again = await startRelay({ port: relay.port, status: status(900_000) });
  await waitFor(() => bot.sink.lost() === 3);
  await waitFor(() => again.requests.length === 1);
});

test("A sink that is full holds the stream up, and nothing is lost or kept without bound", async () => {
  await using relay = await startRelay();
  await using bot = followed(relay.address, { aliveEveryMs: 30, aliveWithinMs: 3_000 });
  await waitFor(() => relay.open() === 1);
  bot.sink.full = true;
  const flows = Array.from({ length: 20_000 }, () => denied(Date.now()));
  relay.saw(...flows);
  await waitFor(() => bot.sink.refused > 3);
  bot.sink.full = false;
  await waitFor(() => bot.ids().length === flows.length, { timeoutMs: 15_000 });
  expect(new Set(bot.ids()).size).toBe(flows.length);
  expect(bot.states.map(({ state }) => state)).toEqual(["connected"]);
  expect(relay.requests).toHaveLength(1);
});

test("Forwarded flows come of pods of interest alone, by their whole name and on their own side", async () => {
  const web = { cluster: "c", namespace: "shop", pod: "web-645b68dcf7-2jmrw" };
  await using relay = await startRelay();
  await using bot = followed(relay.address);
  await waitFor(() => relay.open() === 1);
  const now = Date.now();
  relay.saw(denied(now), forwarded(now, "EGRESS"));
  bot.interests.set([web]);
  await waitFor(() => relay.requests.length === 2);
  const other = { source: { namespace: "shop", pod_name: `${web.pod}-other` } };
  const from = { source: { namespace: "db", pod_name: "pg-0" }, destination: { namespace: "shop", pod_name: web.pod } };
  const out = forwarded(now, "EGRESS");
  const into = forwarded(now, "INGRESS", from);
  const still = denied(now);
  relay.saw(forwarded(now, "EGRESS", other), forwarded(now, "EGRESS", from), out, into, still);
  await waitFor(() => bot.ids().includes(String(still["uuid"])));
  await waitFor(() => relay.open() === 1);
  relay.saw(denied(now));
  await waitFor(() => bot.sink.records().filter(({ verdict }) => verdict.kind === "denied").length === 3);
  const ids = bot.sink
    .records()
    .filter(({ verdict }) => verdict.kind === "forwarded")
    .map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining([out["uuid"], into["uuid"]]));
  expect(new Set(bot.ids()).size).toBe(bot.ids().length);
  bot.interests.set([]);
  await waitFor(() => relay.requests.length === 3);
  expect(relay.requests[2]?.whitelist).toHaveLength(4);
});
