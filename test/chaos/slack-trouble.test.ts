import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { duplicates } from "../e2e/duplicates.ts";
import { operationOf, outcomesOf, podsOf } from "../e2e/outcomes.ts";
import { confirmedWhile, plansWhile, quarantineOf } from "../e2e/slack-trouble.ts";
import { connectTestRedis, emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;

let redis: Redis;
let world: World;
beforeAll(async () => {
  redis = await connectTestRedis();
  const settings = { node: process.execPath, env: process.env, redisUrl: await emptyTestRedis() };
  world = await startWorld({ ...settings, config: { settle: "0s" } });
});
afterAll(async () => {
  await world?.close();
  redis?.disconnect();
});
beforeEach(() => world.slack.faults.clear());

test("The same deliveries a minute later have no second effect (invariant 9)", () => duplicates(world, redis, 60_000));

const thirtySeconds = [
  ["429 with a Retry-After of 5 s", { kind: "rate-limited", retryAfterS: 5 }],
  ["429 with a Retry-After of 30 s", { kind: "rate-limited", retryAfterS: 30 }],
  ["503", { kind: "status", status: 503 }],
  ["silence", { kind: "hang" }],
  ["answers that are lost", { kind: "lost", by: "reset" }],
] as const;

test.for(thirtySeconds)(
  "What is confirmed during 30 s of %s on all of chat.* is done, and its card says so",
  ([, fault]) => confirmedWhile(world, { ...fault, forMs: 30_000 }),
);

test.for(thirtySeconds.slice(0, 4))(
  "Plans that are asked for during 30 s of %s on all of chat.* are shown once each",
  ([, fault]) => plansWhile(world, { ...fault, forMs: 30_000 }),
);

test("Within Slack's own limits thirty plans in one channel have one outcome each, and a status in between is not held up", async () => {
  const { slack, cluster } = world;
  slack.setLimits(true);
  const pods = podsOf(cluster, "shop", "payments");
  const wanted = Array.from({ length: 30 }, (_, at) => pods[at % pods.length] ?? "");
  const plans = wanted.map((pod, at) => slack.command({ ...alice, text: `${quarantineOf(pod)} ${at}` }));
  const there = { ...alice, channel: "C0PRIVATE" };
  const acknowledgements = await Promise.all([...plans, slack.command({ ...there, text: "status shop" })]);
  const planned = acknowledgements.slice(0, -1);
  const outcomes = planned.map((one) => () => outcomesOf(slack, operationOf(one), { ...alice, acknowledgements }));
  await waitFor(() => slack.ephemerals(alice.user).some(({ text }) => text.includes("Status in shop")), {
    timeoutMs: 20_000,
  });
  await waitFor(() => outcomes.every((shown) => shown().length > 0), { timeoutMs: 120_000, everyMs: 100 });
  expect(outcomes.map((shown) => shown().length)).toEqual(planned.map(() => 1));
  slack.setLimits(false);
});
