import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CanaryRecord, createCanaries, type PoolFinding, provedBy } from "../../src/scheduler/enforcement.ts";
import { connectTestRedis } from "../redis.ts";

let redis: Redis;
beforeAll(async () => {
  redis = await connectTestRedis();
});
afterAll(() => redis.disconnect());

function recordOf(...states: PoolFinding["state"][]): CanaryRecord {
  const findings = states.map((state, at) => ({ pool: `p${at}`, state, because: "so" }));
  return { version: 1, run: "v-1", at: 7, findings };
}

test("A cluster has one run at a time; whose claim it is not cannot end it", async () => {
  const [one, other] = [createCanaries(redis), createCanaries(redis)];
  expect(await one.begin("eu", "v-1", 60_000)).toBe(true);
  expect(await other.begin("eu", "v-2", 60_000)).toBe(false);
  expect(await other.begin("us", "v-2", 60_000)).toBe(true);
  await other.end("eu", "v-2");
  expect(await other.begin("eu", "v-2", 60_000)).toBe(false);
  expect(await redis.pttl("{bulkhead}:canary:claim:eu")).toBeGreaterThan(50_000);
  await one.end("eu", "v-1");
  expect(await other.begin("eu", "v-2", 60_000)).toBe(true);
});

test.each<[string, CanaryRecord, ReturnType<typeof provedBy>]>([
  ["all enforce", recordOf("enforced", "enforced"), { enforced: true, at: 7, pools: ["p0", "p1"] }],
  ["one does not", recordOf("enforced", "not-enforced", "untested"), { enforced: false, at: 7, pools: ["p1"] }],
  ["one was not tested", recordOf("enforced", "untested"), undefined],
  ["none was tested", recordOf("untested"), undefined],
])("A run in which of the pools %s proves just that", async (_, record, proved) => {
  expect(provedBy(record)).toEqual(proved);
  const canaries = createCanaries(redis);
  await redis.del("{bulkhead}:canary:claim:eu");
  await canaries.begin("eu", record.run, 60_000);
  expect(await canaries.keep("eu", record, 60_000)).toBe(true);
  expect(await canaries.canaryOf("eu")).toEqual(proved);
  expect(await canaries.last("eu")).toEqual(record);
});

test("What no run left, and what another version wrote, is no evidence; a result ends by itself", async () => {
  const canaries = createCanaries(redis);
  expect(await canaries.canaryOf("nowhere")).toBeUndefined();
  await redis.set("{bulkhead}:canary:result:asia", JSON.stringify({ ...recordOf("enforced"), version: 2 }));
  expect(await canaries.canaryOf("asia")).toBeUndefined();
  await canaries.begin("asia", "v-1", 60_000);
  await canaries.keep("asia", recordOf("enforced"), 60_000);
  expect(await redis.pttl("{bulkhead}:canary:result:asia")).toBeGreaterThan(50_000);
});

test("A run that slept until its claim was another's keeps nothing in the other's place", async () => {
  const canaries = createCanaries(redis);
  await canaries.begin("africa", "v-2", 60_000);
  await canaries.keep("africa", { ...recordOf("enforced"), run: "v-2" }, 60_000);
  expect(await canaries.keep("africa", recordOf("untested"), 60_000)).toBe(false);
  expect((await canaries.last("africa"))?.run).toBe("v-2");
});
