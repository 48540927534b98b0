import { afterAll, beforeEach, expect, test } from "vitest";
import { createLimits } from "../../src/scheduler/limits.ts";
import { connectTestRedis } from "../redis.ts";

const redis = await connectTestRedis();
const second = await connectTestRedis();
const most = { perPerson: 3, perCluster: 5 };
const [limits, elsewhere] = [createLimits(redis), createLimits(second)];

beforeEach(() => redis.del(...keys));

afterAll(() => {
  redis.disconnect();
  second.disconnect();
});

const person = "person:jane";
const cluster = "prod";
const keys = [
  `{bulkhead}:limits:cluster:${cluster}`,
  ...[person, "slack:T1/U2"].map((one) => `{bulkhead}:limits:person:${one}`),
];

function action(operation: string, by = person) {
  return { operation, person: by, cluster };
}

/** As if everything had been counted so many milliseconds earlier. */
async function pass(ms: number): Promise<void> {
  for (const key of keys) {
    for (const member of await redis.zrange(key, "0", "-1")) await redis.zincrby(key, -ms, member);
  }
}

test("So many actions of one person are counted in a minute; the next is told when it can be", async () => {
  for (const id of ["q-1", "q-2", "q-3"]) expect(await limits.count(action(id), most)).toEqual({ kind: "counted" });
  await pass(20_000);
  const full = await limits.count(action("q-4"), most);
  expect(full).toMatchObject({ kind: "full", of: "person" });
  expect((full as { inMs: number }).inMs).toBeGreaterThan(35_000);
  expect((full as { inMs: number }).inMs).toBeLessThanOrEqual(40_000);
  await pass(40_001);
  expect(await limits.count(action("q-4"), most)).toEqual({ kind: "counted" });
});

test("Of what two replicas count at the same moment no more is let through, and nothing refused is counted", async () => {
  const ids = Array.from({ length: 20 }, (_, i) => `q-${i}`);
  const counted = await Promise.all(ids.map((id, i) => (i % 2 === 0 ? limits : elsewhere).count(action(id), most)));
  expect(counted.filter(({ kind }) => kind === "counted")).toHaveLength(most.perPerson);
  expect(await redis.zcard(keys[0]!)).toBe(most.perPerson);
});

test("One operation counts once, however often it is confirmed, and is let through also where its person is full", async () => {
  for (const id of ["q-1", "q-2", "q-3", "q-1", "q-3"]) {
    expect(await limits.count(action(id), most)).toEqual({ kind: "counted" });
  }
  expect(await limits.count(action("q-4"), most)).toMatchObject({ kind: "full" });
});

test("The cluster's count goes over all persons, and the later of two ends is told", async () => {
  for (const id of ["q-1", "q-2", "q-3"]) await limits.count(action(id), most);
  await pass(30_000);
  for (const id of ["q-4", "q-5"]) await limits.count(action(id, "slack:T1/U2"), most);
  expect(await limits.count(action("q-6", "slack:T1/U2"), most)).toMatchObject({ kind: "full", of: "cluster" });
  expect(await limits.count({ ...action("q-6", "slack:T1/U2"), cluster: "other" }, most)).toEqual({ kind: "counted" });
  await redis.del("{bulkhead}:limits:cluster:other");
});

test("Counts go by themselves when nobody acts any more", async () => {
  await limits.count(action("q-1"), most);
  for (const key of keys.slice(0, 2)) expect(await redis.pttl(key)).toBeGreaterThan(50_000);
});
