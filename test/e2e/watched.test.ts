import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFlowWatches, type FlowWatch, type FlowWatches } from "../../src/flows/watches.ts";
import { type Bot, startBot } from "../../src/sandbox/bot-process.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { connectTestRedis, emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { linesOf } from "./drops.ts";

/**
 * A real bot that is killed again and again with `kill -9`. Each is started with a clock that is six minutes further
 * (shifted-date.ts), so that a channel that is watched every five minutes is due.
 */
const token = "0123456789abcdef0123456789abcdef";
const alice = { user: "U0ALICE", channel: "C0INCIDENT" };
const stepMs = 6 * 60_000;
const shifting = `--import=${fileURLToPath(new URL("./shifted-date.ts", import.meta.url))}`;
const patience = { timeoutMs: 60_000 };

let world: World;
let bot: Bot;
let redis: Redis;
let watches: FlowWatches;
let shiftMs = 0;
let sent = 0;

beforeAll(async () => {
  const redisUrl = await emptyTestRedis();
  redis = await connectTestRedis();
  watches = createFlowWatches(redis);
  const env = { ...process.env, FLOWS_TOKEN: token };
  world = await startWorld({ node: process.execPath, env, redisUrl, config: { settle: "0s" } });
  bot = world.bot;
});

afterAll(async () => {
  await bot?.stop();
  await world?.close();
  redis?.disconnect();
});

test("A channel that was watched when the bot was killed is told by the next one, once", async () => {
  await deny("db", "postgres", 5_432);
  // What was counted in its last two seconds a killed replica has lost.
  await answerWith("flows", "5432");
  await type("flows watch every 5m");
  await waitFor(() => said("Denied flows are watched here: everything").at(0), patience);
  await bot.kill();
  await startLater();
  await looked();
  expect(news()).toEqual(["First told here: frontend.shop → postgres.db:5432"]);
});

test("Started again it is quiet where nothing is new, and lists what is watched", async () => {
  await restart();
  await looked();
  expect(news()).toHaveLength(1);
  const line = "everything, every 5m, as ";
  await answerWith("flows watched", line);
  await answerWith("status sandbox:", `${alice.channel}: ${line}`);
});

test("What is new is told by a bot that was started after it came, once, and nothing of namespaces without rights", async () => {
  await deny("db", "postgres", 9_999);
  await deny("kube-system", "secret-store", 443);
  await answerWith("flows", "9999");
  await restart();
  await looked();
  expect(news()).toHaveLength(2);
  expect(news()[1]).toContain("frontend.shop → postgres.db:9999");
  expect(news()[1]).toContain("frontend.shop → another namespace:443");
  expect(JSON.stringify(world.slack.messages(alice.channel))).not.toMatch(/secret-store|kube-system/);
  await restart();
  await looked();
  expect(news()).toHaveLength(2);
});

test("Somebody without rights sees nothing of it", async () => {
  const answer = await answerWith("flows watched", "", "U0CAROL");
  expect(answer).not.toMatch(/everything|every 5m/);
  expect(await answerWith("status sandbox:", "", "U0CAROL")).not.toMatch(/everything, every/);
  await answerWith("flows watched", "everything, every 5m", "U0BOB");
});

test("Where who set it up lost every right while the bot was down, it ends and says so, and nothing more is told", async () => {
  await type("flows watch db every 5m");
  await waitFor(() => said("Denied flows are watched here: db").at(0), patience);
  await deny("db", "postgres", 7_777);
  await answerWith("flows", "7777");
  const before = news().length;
  await restart(withoutAlice);
  await waitFor(() => said("Not watched any more: everything").at(0), patience);
  await waitFor(() => said("Not watched any more: db").at(0), patience);
  await waitFor(async () => (await watches.all()).length === 0, patience);
  expect(news().slice(before).join()).not.toContain("7777");
});

test("What is ended stays ended", async () => {
  await restart(withAlice);
  await type("flows watch db every 5m");
  await waitFor(async () => (await watches.all()).length === 1, patience);
  await looked();
  await answerWith("flows unwatch db", "Not watched any more");
  const before = news().length;
  await deny("db", "postgres", 6_666);
  await answerWith("flows", "6666");
  await restart();
  await answerWith("flows watched", "Nothing is watched here that you may see");
  expect(await watches.all()).toEqual([]);
  expect(news()).toHaveLength(before);
});

async function restart(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  await bot.kill();
  await meanwhile();
  await startLater();
}

async function startLater(): Promise<void> {
  shiftMs += stepMs;
  const env = { ...world.env, NODE_OPTIONS: shifting, SHIFT_MS: String(shiftMs) };
  bot = await startBot({ node: process.execPath, env, readyWithinMs: 60_000 });
}

/** All that is watched was looked at by the bot of now, and what it found is posted. */
async function looked(): Promise<void> {
  const startedMs = Date.now() + shiftMs - stepMs / 2;
  const isDone = ({ lookedMs = 0, owed }: FlowWatch) => lookedMs > startedMs && owed === undefined;
  await waitFor(async () => (await watches.all()).every(isDone), patience);
}

/** What was named as new in the channel, post by post. */
function news(): readonly string[] {
  return world.slack
    .messages(alice.channel)
    .flatMap(({ text }) => /(?:First told|New since the last post) here: [^–]*/.exec(text)?.[0].trim() ?? []);
}

function said(words: string): readonly Message[] {
  return world.slack.messages(alice.channel).filter((message) => JSON.stringify(message).includes(words));
}

async function type(text: string, user = alice.user): Promise<void> {
  await world.slack.command({ ...alice, user, text });
}

/** Asks until the answer, which this person alone sees, has that in it; returns the answer. */
async function answerWith(text: string, expected: string, user = alice.user): Promise<string> {
  const before = world.slack.ephemerals(user).length;
  const answers = () =>
    world.slack
      .ephemerals(user)
      .slice(before)
      .map(({ text: told, blocks }) => JSON.stringify([told, blocks]));
  return waitFor(async () => {
    const asked = answers().length;
    await type(text, user);
    await waitFor(() => answers().length > asked, patience);
    return answers().find((answer) => answer.includes(expected));
  }, patience).then((answer) => answer ?? "");
}

/** So that it lies within the minutes of the bot's clock. */
async function deny(namespace: string, workload: string, port: number): Promise<void> {
  sent += 100;
  const body = linesOf({
    count: 40,
    from: sent,
    to: { namespace, workload, port },
    atMs: Date.now() + shiftMs - 1_000,
  });
  const headers = {
    authorization: `Bearer ${token}`,
    "content-encoding": "gzip",
    "content-type": "application/x-ndjson",
  };
  const answer = await fetch(`${bot.url}/flows/sandbox`, { method: "POST", headers, body: gzipSync(body) });
  expect(answer.status).toBe(200);
}

async function withoutAlice(): Promise<void> {
  await rewrite((text) => text.replace("/U0ALICE", "/U0GONE"));
}

async function withAlice(): Promise<void> {
  await rewrite((text) => text.replace("/U0GONE", "/U0ALICE"));
}

async function rewrite(change: (text: string) => string): Promise<void> {
  const path = world.env["BULKHEAD_CONFIG"] ?? "";
  const text = await readFile(path, "utf8");
  expect(change(text)).not.toBe(text);
  await writeFile(path, change(text));
}
