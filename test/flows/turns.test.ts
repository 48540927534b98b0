import { afterAll, beforeEach, expect, test } from "vitest";
import { createTurns, turnMs } from "../../src/flows/turns.ts";
import { connectTestRedis } from "../redis.ts";

const redis = await connectTestRedis();
beforeEach(() => redis.flushdb());
afterAll(() => redis.disconnect());

test("A source is one replica's, until that gives it up", async () => {
  const [one, two] = [createTurns(redis, "one"), createTurns(redis, "two")];
  expect([await one.take("eu/relay"), await two.take("eu/relay"), await one.take("eu/relay")]).toEqual([
    true,
    false,
    true,
  ]);
  await two.release("eu/relay");
  expect(await two.take("eu/relay")).toBe(false);
  await one.release("eu/relay");
  expect([await two.take("eu/relay"), await one.take("eu/relay")]).toEqual([true, false]);
});

test("A turn that nobody renews ends by itself, and taking it again puts that off", async () => {
  const turns = createTurns(redis, "one");
  await turns.take("eu/relay");
  const [key = ""] = await redis.keys("*");
  await redis.pexpire(key, 50);
  await turns.take("eu/relay");
  expect(await redis.pttl(key)).toBeGreaterThan(turnMs - 1_000);
  expect(await redis.pttl(key)).toBeLessThanOrEqual(turnMs);
});

test("Of all that want a free source at once, one gets it", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, (_, at) => createTurns(redis, `r${at}`).take("eu/relay")));
  expect(all.filter((had) => had)).toHaveLength(1);
});
