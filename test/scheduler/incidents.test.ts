import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Principal } from "../../src/policy/principal.ts";
import { createIncidents, type IncidentBinding } from "../../src/scheduler/incidents.ts";
import { connectTestRedis } from "../redis.ts";

const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };
const binding: IncidentBinding = { version: 1, incident: "INC-482", by: alice, at: 1_763_700_000_000 };

let redis: Redis;

beforeAll(async () => {
  redis = await connectTestRedis();
});

afterAll(() => redis.disconnect());

beforeEach(() => redis.flushdb());

describe("the incident of a channel", () => {
  test("is none, then the one it was bound to, for every replica and without an end, then none again", async () => {
    const [one, other] = [createIncidents(redis), createIncidents(redis)];
    expect(await one.get("T1/C1")).toBeUndefined();
    await one.set("T1/C1", binding);
    expect(await other.get("T1/C1")).toEqual(binding);
    expect(await redis.ttl("{bulkhead}:incident:T1/C1")).toBe(-1);
    await other.set("T1/C1", undefined);
    expect(await one.get("T1/C1")).toBeUndefined();
  });

  test("belongs to one channel of one workspace", async () => {
    const incidents = createIncidents(redis);
    await incidents.set("T1/C1", binding);
    expect(await incidents.get("T1/C2")).toBeUndefined();
    expect(await incidents.get("T2/C1")).toBeUndefined();
  });

  test("of a format that a newer version wrote is refused by its number, not misread", async () => {
    await redis.set("{bulkhead}:incident:T1/C1", JSON.stringify({ ...binding, version: 2 }));
    await expect(createIncidents(redis).get("T1/C1")).rejects.toThrow(/format version 2/);
  });
});
