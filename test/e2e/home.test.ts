import { afterAll, beforeAll, expect, test } from "vitest";
import { startBot } from "../../src/sandbox/bot-process.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" };
const slow = 20_000;

let world: World;
beforeAll(async () => {
  const redisUrl = await emptyTestRedis();
  world = await startWorld({ node: process.execPath, env: process.env, redisUrl, config: { settle: "0s" } });
});
afterAll(() => world?.close());

const holding = (what: string) => (home: { readonly blocks: readonly unknown[] }) =>
  JSON.stringify(home.blocks).includes(what);

test("The home tab shows what is in force, also after a restart, and ends it", async () => {
  const { slack, cluster } = world;
  const named = ({ metadata }: { metadata: { name: string } }) => metadata.name;
  const pod =
    cluster
      .objects("Pod", "shop")
      .map(named)
      .find((name) => name.startsWith("frontend")) ?? "";
  await slack.command({ ...alice, text: `quarantine shop/${pod} odd egress` });
  const plan = await slack.waitForMessage(({ text }) => text.includes(`Plan: quarantine shop/${pod}`), slow);
  await slack.press({ user: alice.user, message: plan, button: "np:confirm" });
  await waitFor(() => slack.current(plan)?.text.includes("ISOLATED FOR NEW CONNECTIONS") === true, { timeoutMs: slow });
  await slack.openHome(alice.user);
  await slack.waitForHome(alice.user, holding("1 in force"), slow);

  await world.bot.kill();
  const bot = await startBot({ node: process.execPath, env: world.env });
  try {
    await slack.openHome("U0BOB");
    await slack.waitForHome("U0BOB", holding("1 in force"), slow);
    await slack.pressHome({ user: alice.user, button: "np:release" });
    const release = await slack.waitForMessage(({ text }) => text.includes(`Plan: release shop/${pod}`), slow);
    expect(release.channel).toBe("D0ALICE");
    await slack.press({ user: alice.user, message: release, button: "np:confirm" });
    await waitFor(() => slack.current(release)?.text.includes("Released") === true, { timeoutMs: slow });
    await slack.openHome(alice.user);
    await slack.waitForHome(alice.user, holding("Nothing is in force"), slow);
  } finally {
    await bot.stop();
  }
}, 60_000);
