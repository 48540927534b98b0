import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bot, startBot } from "../../src/sandbox/bot-process.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { denied } from "../flows/hubble-flows.ts";
import { type RelayServer, startRelay } from "../flows/relay-server.ts";
import { emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

let relay: RelayServer;
let world: World;
let other: Bot;

beforeAll(async () => {
  const redisUrl = await emptyTestRedis();
  relay = await startRelay();
  const sources = [{ name: "hubble", kind: "hubble-relay", address: relay.address }];
  const config = { settle: "0s", flows: { sources } };
  world = await startWorld({ node: process.execPath, env: process.env, redisUrl, config });
  other = await startBot({ node: process.execPath, env: world.env });
});

afterAll(async () => {
  await other?.stop();
  await world?.close();
  await relay?.[Symbol.asyncDispose]();
});

/** Of pods that the sandbox does not have, and of which none has just started. */
function see(count: number): void {
  const at = Date.now();
  relay.saw(...Array.from({ length: count }, (_, nth) => denied(at + nth)));
}

/** How many denied flows a replica's source brought it. */
async function broughtTo(bot: Bot): Promise<number> {
  const text = await (await fetch(`${bot.url}/metrics`)).text();
  return Number(/^bulkhead_flow_records_total\{source="hubble-relay".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function totalSays(expected: string): Promise<boolean> {
  await world.slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "flows db" });
  const isIt = ({ text, blocks }: { text: string; blocks: unknown }) =>
    JSON.stringify([text, blocks]).includes(expected);
  return world.slack.waitForMessage(isIt, 1_000).then(
    () => true,
    () => false,
  );
}

test("One replica asks the relay; when it is killed another goes on, and nothing counts twice", async () => {
  await waitFor(() => relay.open() === 1, { timeoutMs: 15_000 });
  see(40);
  await waitFor(async () => (await broughtTo(world.bot)) + (await broughtTo(other)) === 40);
  expect(await waitFor(() => totalSays("40 denied"), { timeoutMs: 10_000 })).toBe(true);
  expect(relay.open()).toBe(1);
  const [holder, next] = (await broughtTo(other)) > 0 ? [other, world.bot] : [world.bot, other];
  await holder.kill();
  see(2);
  await waitFor(() => relay.open() === 1 && relay.requests.length > 1, { timeoutMs: 20_000 });
  see(5);
  expect(await waitFor(() => totalSays("47 denied"), { timeoutMs: 15_000 })).toBe(true);
  expect(await broughtTo(next)).toBe(7);
});
