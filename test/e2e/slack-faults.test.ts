import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import { startBot } from "../../src/sandbox/bot-process.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import { connectTestRedis, emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { duplicates } from "./duplicates.ts";
import { operationOf, outcomesOf, podsOf } from "./outcomes.ts";
import { refreshes } from "./refreshes.ts";
import { confirmedWhile, plansWhile } from "./slack-trouble.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;
const slow = { timeoutMs: 20_000 };

let redis: Redis;
let world: World;

/** The real bot as a process of its own, with two connections to the sandbox Slack. */
beforeAll(async () => {
  redis = await connectTestRedis();
  const settings = { node: process.execPath, env: process.env, redisUrl: await emptyTestRedis() };
  world = await startWorld({ ...settings, config: { settle: "2s" } });
});
afterAll(async () => {
  await world?.close();
  redis?.disconnect();
});
beforeEach(async () => {
  world.slack.faults.clear();
  await waitFor(() => world.slack.connections() === 2, slow);
});

test("Each connection is refreshed during 50 commands, and every one is acknowledged in time and answered once", () =>
  refreshes(world.slack));

test("The same deliveries again have no second effect, on whichever connection they come (invariant 9)", () =>
  duplicates(world, redis, undefined));

describe("a Slack that limits or fails", () => {
  const limited = { kind: "rate-limited", retryAfterS: 1 } as const;
  const down = { kind: "status", status: 503 } as const;

  test("Plans that are asked for while chat.* is limited for three seconds are shown once each, and their buttons work", () =>
    plansWhile(world, { ...limited, forMs: 3_000 }));

  test("What is confirmed while chat.* fails for three seconds is done, and its card in the channel says so afterwards", () =>
    confirmedWhile(world, { ...down, forMs: 3_000 }));

  test("A limit of one method in one channel delays no answer in another, nor one of another method", async () => {
    const { slack } = world;
    const [first, second] = podsOf(world.cluster, "payments");
    const heal = slack.faults.add({ ...limited, method: "chat.postMessage", channel: alice.channel });
    const here = await slack.command({ ...alice, text: `quarantine ${first} limited` });
    await waitFor(() => slack.calls.some(({ error }) => error === "ratelimited"), slow);
    const there = { ...alice, channel: "C0PRIVATE" };
    const elsewhere = await slack.command({ ...there, text: `quarantine ${second} free` });
    const status = await slack.command({ ...alice, text: "status payments" });
    const acknowledgements = [here, elsewhere, status];
    const cards = () => slack.messages("C0PRIVATE").filter(({ text }) => text.includes(operationOf(elsewhere)));
    await waitFor(() => cards().length === 1, slow);
    await waitFor(() => slack.ephemerals(alice.user).some(({ text }) => text.includes("Status in payments")), slow);
    heal();
    const shown = () => outcomesOf(slack, operationOf(here), { ...alice, acknowledgements });
    await waitFor(() => shown().length > 0, slow);
    expect(shown()).toHaveLength(1);
  });
});

test("SIGTERM during a confirm: what is under way is finished and its card says so, and another replica gets what is new", async () => {
  const { slack, env, bot } = world;
  const other = await startBot({ node: process.execPath, env });
  try {
    const [pod] = podsOf(world.cluster, "shop").toReversed();
    const asked = await slack.command({ ...alice, text: `quarantine ${pod} drained` });
    const operation = operationOf(asked);
    const plan = await slack.waitForMessage(({ text }) => text.includes(operation) && text.includes("Plan:"), 20_000);
    const press = slack.composePress({ user: alice.user, message: plan, button: "np:confirm" });
    await slack.deliver(press, { connection: 0 });
    const policies = () => world.cluster.objects("NetworkPolicy", "shop");
    await waitFor(() => policies().some(({ metadata }) => metadata.name.includes(operation)), slow);
    const stopped = bot.stop();
    await waitFor(() => slack.connections() === 2, slow);
    expect(slack.current(plan)?.text).not.toContain("ISOLATED");
    const late = await Promise.all(
      Array.from({ length: 10 }, (_, at) => slack.command({ ...alice, text: `quarantine shop/late-${at}x meanwhile` })),
    );
    expect(late.map(({ acknowledgement }) => acknowledgement.kind)).toEqual(Array(10).fill("acknowledged"));
    expect(await stopped).toBe(0);
    expect(slack.current(plan)?.text).toContain("ISOLATED FOR NEW CONNECTIONS");
    const answers = late.map((_, at) => () => outcomesOf(slack, `late-${at}x`, { ...alice, acknowledgements: late }));
    await waitFor(() => answers.every((outcomes) => outcomes().length > 0), slow);
    expect(answers.map((outcomes) => outcomes().length)).toEqual(Array(10).fill(1));
    const entries = await createAuditLog(redis, { onEntry: () => undefined }).read({ operation });
    expect(entries.map(({ kind }) => kind)).toEqual(["intent", "outcome"]);
    const stored = await createOperations(redis, { now: Date.now }).get(operation);
    expect(stored?.steps.map(({ step }) => step).filter((step) => step.includes("taken over"))).toEqual([]);
    expect(bot.lines.find((line) => line.includes("Bulkhead has stopped"))).toContain('"drained":true');
  } finally {
    await other.stop();
  }
});
