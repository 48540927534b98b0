import { afterAll, beforeAll, expect, test } from "vitest";
import { marks } from "../../src/policy/marks.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const slow = { timeoutMs: 20_000 };

let redis: OwnRedis;
let world: World;

beforeAll(async () => {
  redis = await startOwnRedis();
  world = await startWorld({
    node: process.execPath,
    env: process.env,
    redisUrl: redis.url,
    config: { settle: "0s", slack: { mode: "http", port: 0 } },
    slackEnv: ({ signingSecret }) => ({ SLACK_APP_TOKEN: "", SLACK_SIGNING_SECRET: signingSecret }),
  });
  const started = world.bot.lines.map((line) => JSON.parse(line)).find(({ slackPort }) => slackPort !== undefined);
  world.slack.http.use(`http://127.0.0.1:${started.slackPort}/slack/events`);
});
afterAll(async () => {
  await world?.close();
  await redis?.stop();
});

test("Over HTTP a replica without Redis stays ready, says what is missing, and contains", async () => {
  const { slack, cluster, bot } = world;
  const ready = () => fetch(`${bot.url}/readyz`).then(async (answer) => [answer.status, await answer.text()]);
  expect(await ready()).toEqual([200, "ok\n"]);
  await redis.kill();
  await waitFor(async () => (await ready())[1] !== "ok\n", slow);
  expect(await ready()).toEqual([200, "ok\nRedis does not answer\n"]);
  const [pod] = cluster.objects("Pod", "shop");
  const name = pod!.metadata.name;
  await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: `quarantine shop/${name} --confirm ${name}` });
  const plan = await slack.waitForMessage(({ text }) => text.includes(`Plan: quarantine shop/${name}`), slow.timeoutMs);
  await slack.press({ user: "U0ALICE", message: plan, button: "np:confirm" });
  await slack.waitForMessage(({ text }) => text.includes("ISOLATED FOR NEW CONNECTIONS"), slow.timeoutMs);
  const labels = cluster.objects("Pod", "shop").find(({ metadata }) => metadata.name === name)?.metadata.labels;
  expect(labels).toHaveProperty([marks.quarantine]);
  expect((await ready())[0]).toBe(200);
});

test("Each sweep tells once that it fails without Redis, and once that it works again; the rest is counted", async () => {
  const { bot } = world;
  const told = (level: number) =>
    bot.lines.filter((line) => line.includes('"sweep":"takeover"') && line.includes(`"level":${level}`));
  const counted = async (): Promise<number> => {
    const metrics = await (await fetch(`${bot.url}/metrics`)).text();
    return Number(/bulkhead_errors_total\{where="sweep"\} (\d+)/.exec(metrics)?.[1] ?? 0);
  };
  await waitFor(() => told(50).length > 0, slow);
  // Those of every second or two fail several times meanwhile.
  const failures = await counted();
  await waitFor(async () => (await counted()) >= failures + 7, slow);
  expect([told(50).length, told(30).length]).toEqual([1, 0]);
  await redis.restart();
  await waitFor(() => told(30).length === 1, slow);
  expect(told(50)).toHaveLength(1);
});
