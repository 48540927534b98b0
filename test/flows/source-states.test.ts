import { afterAll, beforeEach, expect, test } from "vitest";
import type { FlowSourceState } from "../../src/flows/flow-source.ts";
import { createSourceStates } from "../../src/flows/source-states.ts";
import { connectTestRedis } from "../redis.ts";

const redis = await connectTestRedis();
beforeEach(() => redis.flushdb());
afterAll(() => redis.disconnect());

const relay: FlowSourceState = {
  name: "relay",
  cluster: "eu",
  kind: "hubble-relay",
  state: "connected",
  why: undefined,
  formats: ["hubble"],
  lastFlowMs: 900,
};

test("Of replicas that say different things of a source, the one that has it counts", async () => {
  const [one, two] = [createSourceStates(redis, "one"), createSourceStates(redis, "two")];
  await one.tell([{ ...relay, state: "elsewhere", lastFlowMs: undefined, formats: [] }], 1_000);
  await two.tell([{ ...relay, state: "failing", why: "the connection was refused" }], 1_000);
  expect(await one.all(2_000)).toEqual([{ ...relay, state: "failing", why: "the connection was refused" }]);
  await two.tell([relay], 2_000);
  expect(await one.all(3_000)).toEqual([relay]);
});

test("A pushed source is spoken to where any replica was", async () => {
  const [one, two] = [createSourceStates(redis, "one"), createSourceStates(redis, "two")];
  const push: FlowSourceState = { ...relay, name: "push", kind: "push", formats: ["ovn"], lastFlowMs: 500 };
  await one.tell([push], 1_000);
  await two.tell([{ ...push, state: "connecting", formats: ["gke"], lastFlowMs: 700 }], 1_000);
  expect(await two.all(1_000)).toEqual([{ ...push, formats: ["gke", "ovn"], lastFlowMs: 700 }]);
});

test("A replica that is gone has no source any more; when its last flow came is known for a day", async () => {
  const [one, two] = [createSourceStates(redis, "one"), createSourceStates(redis, "two")];
  await one.tell([relay], 1_000);
  await two.tell([{ ...relay, state: "elsewhere", lastFlowMs: undefined, formats: [] }], 60_000);
  const why = "the replica that asked it is gone";
  expect(await two.all(60_000)).toEqual([{ ...relay, state: "failing", why }]);
  await two.tell([{ ...relay, lastFlowMs: 50_000 }], 60_000);
  expect(await two.all(60_000)).toEqual([{ ...relay, lastFlowMs: 50_000 }]);
  await two.tell([], 100_000_000);
  expect(await two.all(100_000_000)).toEqual([]);
});

test("What another version wrote is left alone", async () => {
  await redis.hset("{bulkhead}:flows:sources", "newer", JSON.stringify({ v: 2 }));
  const states = createSourceStates(redis, "one");
  await states.tell([relay], 1_000);
  expect(await states.all(1_000)).toEqual([relay]);
  expect(await redis.hexists("{bulkhead}:flows:sources", "newer")).toBe(1);
});
