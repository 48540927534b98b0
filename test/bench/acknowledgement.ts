import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type SandboxSlack, startSandboxSlack } from "../../src/sandbox/slack/server.ts";
import { startWorld } from "../../src/sandbox/world.ts";
import { testRedisUrl } from "../redis.ts";
import { waitFor } from "../wait.ts";
import type { Row } from "./figures.ts";
import { manyObjects } from "./many-pods.ts";

export const burst = 200;
const rounds = 5;
/** A plan has a row of its own: it compiles all pods, which two hundred people at once do not ask for. */
const text = "status shop";

/** Milliseconds from sending an envelope to its acknowledgement, by the sandbox Slack's clock. */
type Times = { readonly bursts: readonly number[]; readonly single: readonly number[] };

type WithinLimit = { readonly all: number; readonly within: number };

/** The bot, and as the baseline a process with Bolt and nothing else: commands in bursts, and one at a time. */
export async function measureAcknowledgement(): Promise<{
  readonly bursts: readonly Row[];
  readonly single: readonly Row[];
  /** The same commands by the bot's own clock, arrival to acknowledgement: how many in all, and within 100 ms. */
  readonly inBot: WithinLimit;
}> {
  const { inBot, ...bot } = await measureBot();
  const bare = await measureBareBolt();
  const rows = (of: (times: Times) => readonly number[]): readonly Row[] => [
    { name: "the bot", times: of(bot) },
    { name: "bare Bolt that only acknowledges", times: of(bare) },
  ];
  return { bursts: rows(({ bursts }) => bursts), single: rows(({ single }) => single), inBot };
}

async function measureBot(): Promise<Times & { readonly inBot: WithinLimit }> {
  const world = await startWorld({
    node: process.execPath,
    env: process.env,
    redisUrl: testRedisUrl(),
    objects: manyObjects(),
  });
  try {
    const { slack } = world;
    const answers = () => slack.ephemerals("U0ALICE").filter(({ text }) => text.includes("Status in shop")).length;
    const times = await measured(async (count) => {
      const expected = answers() + count;
      const times = await typeMany(slack, text, count);
      // The next burst finds the bot idle.
      await waitFor(() => answers() >= expected, { timeoutMs: 60_000 });
      return times;
    });
    return { ...times, inBot: await readMetric(world.bot.url) };
  } finally {
    await world.close();
  }
}

async function readMetric(url: string): Promise<WithinLimit> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = (line: string): number => {
    const found = text.split("\n").find((one) => one.startsWith(`${line} `));
    if (found === undefined) throw new Error(`the bot has no metric ${line}`);
    return Number(found.split(" ")[1]);
  };
  return { all: value("bulkhead_ack_seconds_count"), within: value('bulkhead_ack_seconds_bucket{le="0.1"}') };
}

/** After a burst that warms both sides up. */
async function measured(type: (count: number) => Promise<readonly number[]>): Promise<Times> {
  await type(burst);
  const bursts: number[] = [];
  for (let round = 0; round < rounds; round += 1) bursts.push(...(await type(burst)));
  const single: number[] = [];
  for (let round = 0; round < 50; round += 1) single.push(...(await type(1)));
  return { bursts, single };
}

/** Types so many commands at once; their times to acknowledgement. */
async function typeMany(slack: SandboxSlack, text: string, count: number): Promise<readonly number[]> {
  const commands = Array.from({ length: count }, () => slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text }));
  return (await Promise.all(commands)).map(({ acknowledgement }) => {
    if (acknowledgement.kind !== "acknowledged")
      throw new Error(`a command was not acknowledged: ${acknowledgement.kind}`);
    return acknowledgement.afterMs;
  });
}

async function measureBareBolt(): Promise<Times> {
  const slack = await startSandboxSlack();
  const env = {
    ...process.env,
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
  };
  const script = fileURLToPath(new URL("bare-bolt.ts", import.meta.url));
  const child = spawn(process.execPath, [script], { env, stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "exit");
  try {
    await waitFor(() => slack.connections() === 2, { timeoutMs: 20_000 });
    return await measured((count) => typeMany(slack, text, count));
  } finally {
    child.stdin.end();
    await ended;
    await slack.close();
  }
}
