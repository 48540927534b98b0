import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import { marks } from "../../src/policy/marks.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { connectTestRedis, emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const alice = { user: "U0ALICE" };
const slow = { timeoutMs: 20_000 };

let redis: Redis;
let world: World;

/** The real bot as a process of its own, which Slack calls over HTTP; it is given no app token. */
beforeAll(async () => {
  redis = await connectTestRedis();
  world = await startWorld({
    node: process.execPath,
    env: process.env,
    redisUrl: await emptyTestRedis(),
    config: { settle: "0s", slack: { mode: "http", port: 0 } },
    slackEnv: ({ signingSecret }) => ({ SLACK_APP_TOKEN: "", SLACK_SIGNING_SECRET: signingSecret }),
  });
  const started = world.bot.lines.map((line) => JSON.parse(line)).find(({ slackPort }) => slackPort !== undefined);
  world.slack.http.use(`http://127.0.0.1:${started.slackPort}/slack/events`);
});
afterAll(async () => {
  await world?.close();
  redis?.disconnect();
});

const entries = (kind: string) =>
  createAuditLog(redis, { onEntry: () => undefined })
    .read({})
    .then((all) => all.filter((entry) => entry.kind === kind));

async function metric(event: string): Promise<number> {
  const text = await (await fetch(`${world.bot.url}/metrics`)).text();
  return Number(new RegExp(`bulkhead_slack_events_total\\{event="${event}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
}

test("A pod is found in the form and quarantined from it, all over HTTP", async () => {
  const { slack, cluster } = world;
  await slack.command({ ...alice, channel: "C0INCIDENT", text: "quarantine" });
  await slack.waitForView("U0ALICE", undefined, slow.timeoutMs);
  const found = await slack.search({ ...alice, field: "namespace", query: "" });
  expect(found.options.map(({ value }) => value)).toEqual(["db", "payments", "shop"]);
  await slack.pick({ ...alice, field: "namespace", option: "shop" });
  const pods = await slack.search({ ...alice, field: "pod", query: "frontend" });
  const pod = pods.options[0]!.value;
  await slack.pick({ ...alice, field: "pod", option: pod });
  await slack.fill({ ...alice, field: "reason", text: "odd traffic" });
  expect((await slack.submit(alice)).view).toBeUndefined();
  const plan = await slack.waitForMessage(({ text }) => text.includes(`Plan: quarantine shop/${pod}`), slow.timeoutMs);
  expect(plan).toMatchObject({ channel: "C0INCIDENT", ephemeralTo: undefined });
  await slack.press({ ...alice, message: plan, button: "np:confirm" });
  await slack.waitForMessage(({ text }) => text.includes("ISOLATED FOR NEW CONNECTIONS"), slow.timeoutMs);
  const labels = () => cluster.objects("Pod", "shop").find(({ metadata }) => metadata.name === pod)?.metadata.labels;
  expect(labels()).toHaveProperty([marks.quarantine]);
  expect(slack.connections()).toBe(0);
});

test("What was sent before has no effect when it is sent again", async () => {
  const { slack } = world;
  const before = { intents: (await entries("intent")).length, messages: slack.messages("C0INCIDENT").length };
  const sent = [...slack.http.sent];
  const answers = await Promise.all(sent.map((request) => slack.http.post(request)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await metric("replayed")).toBe(sent.length);
  expect((await entries("intent")).length).toBe(before.intents);
  expect(slack.messages("C0INCIDENT")).toHaveLength(before.messages);
});

test("A hundred forged calls are counted, and are one entry in the audit log", async () => {
  const { slack } = world;
  const envelope = slack.compose({ ...alice, channel: "C0INCIDENT", text: "quarantine shop/x" });
  const wrongs = [{ secret: "not-the-secret" }, { skewMs: -301_000 }, { skewMs: 120_000 }];
  const statuses = await Promise.all(
    Array.from(
      { length: 99 },
      async (_, at) => (await slack.http.post(slack.http.sign(envelope, wrongs[at % 3]))).status,
    ),
  );
  expect(new Set(statuses)).toEqual(new Set([401]));
  expect(await Promise.all(["forged", "stale", "future"].map(metric))).toEqual([33, 33, 33]);
  await waitFor(async () => (await entries("forgery")).length >= 4, slow);
  expect((await entries("forgery")).map(({ verb }) => verb).toSorted()).toEqual([
    "forged",
    "future",
    "replayed",
    "stale",
  ]);
});

test("Told to end, it ends in order and writes what it had only counted", async () => {
  expect(await world.bot.stop()).toBe(0);
  const samples = await entries("forgery");
  const counted = samples.filter(({ verb }) => verb === "forged").map(({ detail }) => Number(detail?.["calls"]));
  expect(counted.reduce((sum, calls) => sum + calls, 0)).toBe(33);
});
