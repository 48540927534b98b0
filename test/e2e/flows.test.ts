import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bot, startBot } from "../../src/sandbox/bot-process.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { readPng } from "../pictures/png.ts";
import { emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" };
const token = "0123456789abcdef0123456789abcdef";

let world: World;
let other: Bot;

beforeAll(async () => {
  const redisUrl = await emptyTestRedis();
  world = await startWorld({
    node: process.execPath,
    env: { ...process.env, FLOWS_TOKEN: token },
    redisUrl,
    config: { settle: "0s" },
  });
  other = await startBot({ node: process.execPath, env: world.env });
});

afterAll(async () => {
  await other?.stop();
  await world?.close();
});

/** So many packets that `db/postgres` did not let in, as Hubble's exporter writes their drops; of pods that have not just started. */
function drops(count: number, from: number): string {
  const at = (nth: number) => new Date(Date.now() - 1_000 + nth).toISOString();
  const line = (nth: number) => ({
    flow: {
      time: at(nth),
      uuid: `drop-${from + nth}`,
      verdict: "DROPPED",
      drop_reason: 133,
      drop_reason_desc: "POLICY_DENIED",
      IP: { source: "10.1.1.1", destination: "10.1.1.2", ipVersion: "IPv4" },
      l4: { TCP: { source_port: 40_000 + nth, destination_port: 5_432, flags: { SYN: true } } },
      source: {
        namespace: "shop",
        pod_name: `frontend-x-${nth % 3}`,
        workloads: [{ name: "frontend", kind: "Deployment" }],
      },
      destination: { namespace: "db", pod_name: "postgres-7", workloads: [{ name: "postgres", kind: "StatefulSet" }] },
      Type: "L3_L4",
      node_name: "node-1",
      event_type: { type: 1, sub_type: 133 },
      traffic_direction: "INGRESS",
      is_reply: false,
    },
    node_name: "node-1",
    time: at(nth),
  });
  return Array.from({ length: count }, (_, nth) => JSON.stringify(line(nth))).join("\n");
}

function post(bot: Bot, body: string, { bearer = token, cluster = "sandbox" } = {}) {
  return fetch(`${bot.url}/flows/${cluster}`, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-encoding": "gzip", "content-type": "application/x-ndjson" },
    body: gzipSync(body),
  });
}

/** Asks again until the answer has that in it; returns the answer. */
async function answerWith(command: string, expected: string): Promise<string> {
  const told = ({ text, blocks }: Message) => JSON.stringify([text, blocks]);
  const before = new Set(all().map(({ ts }) => ts));
  const answer = await waitFor(async () => {
    await world.slack.command({ ...alice, text: command });
    const isIt = (message: Message) => !before.has(message.ts) && told(message).includes(expected);
    return world.slack.waitForMessage(isIt, 1_500).catch(() => undefined);
  });
  return told(answer as Message);
}

function all(): readonly Message[] {
  return [...world.slack.messages(alice.channel), ...world.slack.ephemerals(alice.user)];
}

test("Before anything came, status says that nobody has posted", async () => {
  await answerWith("status sandbox:", "nobody has posted flows to /flows/sandbox yet");
});

test("Flows that agents post to any replica are counted together, and told in Slack", async () => {
  const answers = [await post(world.bot, drops(200, 0)), await post(other, drops(100, 1_000))];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const told = await answerWith("flows db", "300");
  expect(told).toContain("frontend");
  expect(told).toContain("5432");
  expect(told).toContain("default-deny");
  await answerWith("status sandbox:", "flows are posted (hubble)");
});

test("The picture of it is sent to who asked, who alone saw the answer", async () => {
  await answerWith("flows db", "300");
  const shared = await waitFor(() => world.slack.messages("D0ALICE").findLast(({ files }) => files !== undefined), {
    timeoutMs: 15_000,
  });
  const [picture] = shared?.files ?? [];
  expect(picture?.alt).toMatch(/^Line chart: Denied events in db, .* Most: frontend\.shop → postgres:5432, peak of /);
  expect(readPng({ png: picture?.bytes ?? Buffer.alloc(0) }).width).toBe(1_460);
  expect(world.slack.messages(alice.channel).filter(({ files }) => files !== undefined)).toEqual([]);
});

test("A channel that watches is told once by two replicas, as who set it up may see it", async () => {
  const said = (words: string) => () =>
    world.slack.messages(alice.channel).filter((message) => JSON.stringify(message).includes(words));
  await world.slack.command({ ...alice, text: "flows watch db every 5m" });
  await waitFor(() => said("Denied flows are watched here: db")().at(0));
  await waitFor(() => said("First told here")().at(0), { timeoutMs: 15_000 });
  await answerWith("status sandbox:", `${alice.channel}: db, every 5m, as `);
  expect(said("First told here")()).toHaveLength(1);
  await answerWith("flows unwatch db", "Not watched any more");
});

test("Nobody posts without the token, or for a cluster that is not configured", async () => {
  expect((await post(world.bot, drops(1, 0), { bearer: "guess" })).status).toBe(401);
  expect((await post(world.bot, drops(1, 0), { cluster: "other" })).status).toBe(401);
});

test("A replica that is asked to stop writes what it took before it ends", async () => {
  expect((await post(other, drops(50, 5_000))).status).toBe(200);
  expect(await other.stop()).toBe(0);
  await answerWith("flows db", "350");
});

test("What came is in the metrics", async () => {
  const metrics = await (await fetch(`${world.bot.url}/metrics`)).text();
  expect(metrics).toContain('bulkhead_flow_records_total{source="push",format="hubble",verdict="denied"} 200');
  expect(metrics).toMatch(/^bulkhead_flow_queue 0$/m);
  expect(metrics).toMatch(/^bulkhead_flow_write_lag_seconds_count [1-9]/m);
});
