import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { createLeases, type Lease } from "../../src/scheduler/leases.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { connectTestRedis, testRedisUrl } from "../redis.ts";
import { anOperation } from "./operation.ts";

const redis = await connectTestRedis();
const second = connectRedis(testRedisUrl(), { onError: () => undefined });
await untilReady(second, 5_000);
afterAll(() => [redis, second].forEach((client) => client.disconnect()));

const operations = createOperations(redis, { now: () => 1_000 });
const leases = createLeases(redis);
/** The same store, as another replica sees it. */
const elsewhere = createLeases(second);

beforeEach(() => redis.flushdb());

async function accepted(delivery: string): Promise<Lease> {
  const result = await operations.accept(anOperation(delivery));
  if (result.kind !== "accepted" || result.lease === undefined) throw new Error(result.kind);
  return result.lease;
}

/** As if nobody had renewed it for long. */
const lapse = ({ operation }: Lease) => redis.zadd("{bulkhead}:leases", "0", operation);

describe("A lease", () => {
  test("comes with acceptance, and nobody can claim it while it is fresh", async () => {
    const lease = await accepted("one");
    expect(await elsewhere.claim(10)).toEqual([]);
    expect(await leases.renew(lease)).toBe(true);
  });

  test("that lapsed goes to one claimer, and its former holder can do nothing with it", async () => {
    const lease = await accepted("one");
    await lapse(lease);
    const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? leases : elsewhere).claim(10)));
    const [claimed, ...more] = claims.flat();
    expect(more).toEqual([]);
    expect(claimed?.operation).toBe(lease.operation);
    expect(await leases.renew(lease)).toBe(false);
    expect(await leases.end(lease)).toBe(false);
    expect(await leases.postpone(lease, 0)).toBe(false);
    if (claimed !== undefined) expect(await elsewhere.renew(claimed)).toBe(true);
  });

  test("fences writes: an operation whose lease was lost is not stored", async () => {
    const lease = await accepted("one");
    const operation = await operations.get(lease.operation);
    if (operation === undefined) throw new Error("not stored");
    await lapse(lease);
    const [claimed] = await elsewhere.claim(1);
    expect(await operations.replace({ ...operation, state: "failed" }, lease)).toBeUndefined();
    const stored = await operations.replace({ ...operation, state: "planned" }, claimed);
    expect(stored?.state).toBe("planned");
  });

  test("is taken anew with a change of the operation, from whoever holds it", async () => {
    const lease = await accepted("one");
    const operation = await operations.get(lease.operation);
    if (operation === undefined) throw new Error("not stored");
    const held = await operations.replaceAndHold({ ...operation, state: "running" });
    expect(held?.operation).toMatchObject({ state: "running", revision: operation.revision + 1 });
    expect(await leases.renew(lease)).toBe(false);
    expect(held?.lease !== undefined && (await leases.renew(held.lease))).toBe(true);
    expect(await operations.replaceAndHold({ ...operation, state: "running" })).toBeUndefined();
  });

  test("that ended is claimed by nobody, and its generation never returns", async () => {
    const lease = await accepted("one");
    expect(await leases.end(lease)).toBe(true);
    expect(await elsewhere.claim(10)).toEqual([]);
    const operation = await operations.get(lease.operation);
    if (operation === undefined) throw new Error("not stored");
    const held = await operations.replaceAndHold({ ...operation, state: "running" });
    expect(held?.lease?.generation).toBeGreaterThan(lease.generation);
    expect(await leases.renew(lease)).toBe(false);
  });

  test("that was postponed is claimed when its time has come", async () => {
    const lease = await accepted("one");
    expect(await leases.postpone(lease, -1)).toBe(true);
    expect(await elsewhere.claim(10)).toHaveLength(1);
  });

  test("is claimed at most so many at once, the most overdue first", async () => {
    const all = await Promise.all(["a", "b", "c"].map(accepted));
    for (const [index, lease] of all.entries())
      await redis.zadd("{bulkhead}:leases", String(3 - index), lease.operation);
    const first = await leases.claim(2);
    expect(first.map(({ operation }) => operation)).toEqual([all[2]?.operation, all[1]?.operation]);
  });
});
