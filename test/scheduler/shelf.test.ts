import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createShelf } from "../../src/scheduler/shelf.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

let redis: Redis;
beforeEach(async () => {
  redis = await connectTestRedis();
});
afterEach(() => redis.disconnect());

test("A key is there for the first time once, whoever asks, until its time is over", async () => {
  const replicas = [createShelf(redis), createShelf(redis), createShelf(redis)];
  const answers = await Promise.all(replicas.map((shelf) => shelf.first("signature:v0=1", 60_000)));
  expect(answers.filter(Boolean)).toHaveLength(1);
  expect(await replicas[0]!.first("short", 30)).toBe(true);
  await waitFor(() => replicas[0]!.first("short", 30));
});

test("What is put there is there for every replica, and gone after its time", async () => {
  await createShelf(redis).put("modal:1", "C1", 60_000);
  expect(await createShelf(redis).get("modal:1")).toBe("C1");
  expect(await createShelf(redis).get("modal:2")).toBeUndefined();
  await createShelf(redis).put("modal:3", "C3", 20);
  await waitFor(async () => (await createShelf(redis).get("modal:3")) === undefined);
});

test("Every key bears the prefix of the bot, which its Redis user may be limited to", async () => {
  await createShelf(redis).put("modal:1", "C1", 60_000);
  expect(await redis.keys("*")).toEqual(["{bulkhead}:shelf:modal:1"]);
});
