import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import type { HttpAnswer, SignedRequest, Wrong } from "../../src/sandbox/slack/http-delivery.ts";
import { waitFor } from "../wait.ts";
import { type Arena, startArena } from "./arena.ts";

/** Slack over HTTP: whoever is not Slack gets no answer of the bot's, has no effect, and cannot flood the audit log. */
let arena: Arena;
let posted = 0;

beforeAll(async () => {
  arena = await startArena({
    config: { slack: { mode: "http", port: 0 } },
    env: ({ signingSecret }) => ({ SLACK_SIGNING_SECRET: signingSecret }),
  });
  const bot = await (await arena.addReplica()).start();
  const port = /"slackPort":(\d+)/.exec(bot.lines.find((line) => line.includes("Bulkhead has started")) ?? "")?.[1];
  arena.slack.http.use(`http://127.0.0.1:${port}/slack/events`);
});
afterAll(async () => {
  await arena?.close();
  process.stdout.write(`${posted} kinds of forged or broken calls were refused\n`);
});

const entries = (kind: string) =>
  createAuditLog(arena.redis, { onEntry: () => undefined })
    .read({})
    .then((all) => all.filter((entry) => entry.kind === kind));
const written = () => arena.replicas.flatMap(({ kube }) => kube.writes());

function signed(wrong: Wrong = {}, text = "quarantine payments/worker-1"): SignedRequest {
  const { slack } = arena;
  return slack.http.sign(slack.compose({ user: "U0ALICE", channel: "C0INCIDENT", text }), wrong);
}

async function counted(event: string): Promise<number> {
  const metrics = await (await fetch(`${arena.replicas[0]?.bot()?.url}/metrics`)).text();
  return Number(new RegExp(`bulkhead_slack_events_total\\{event="${event}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0);
}

/** Posts it; nothing may be shown, written or recorded as anybody's refusal. */
async function expectRefused(request: SignedRequest, status: number, event: string): Promise<HttpAnswer> {
  const { slack } = arena;
  const before = {
    shown: slack.messages("C0INCIDENT").length + slack.ephemerals("U0ALICE").length,
    counted: await counted(event),
  };
  const answer = await slack.http.post(request);
  expect(answer.status).toBe(status);
  expect(answer.body).toBe("");
  await waitFor(async () => (await counted(event)) === before.counted + 1);
  expect(slack.messages("C0INCIDENT").length + slack.ephemerals("U0ALICE").length).toBe(before.shown);
  expect(written()).toEqual([]);
  expect(await entries("refusal")).toEqual([]);
  posted += 1;
  return answer;
}

const hour = 3_600_000;
test.each([
  ["five minutes old", "stale", () => signed({ skewMs: -301_000 })],
  ["a day old", "stale", () => signed({ skewMs: -24 * hour })],
  ["of in two minutes", "future", () => signed({ skewMs: 120_000 })],
  ["of next year", "future", () => signed({ skewMs: 365 * 24 * hour })],
  ["signed with another secret", "forged", () => signed({ secret: "not-the-secret-of-this-app" })],
  ["whose body was changed", "forged", () => ({ ...signed(), body: `${signed().body}&user_id=U0BOB` })],
  [
    "whose time was changed",
    "forged",
    () => signed({ headers: { "x-slack-request-timestamp": `${Math.floor(Date.now() / 1_000) + 1}` } }),
  ],
  ["with a signature of zeros", "forged", () => signed({ headers: { "x-slack-signature": `v0=${"0".repeat(64)}` } })],
  ["without a signature", "unsigned", () => signed({ headers: { "x-slack-signature": undefined } })],
  ["without a time", "unsigned", () => signed({ headers: { "x-slack-request-timestamp": undefined } })],
  ["with a time in words", "unsigned", () => signed({ headers: { "x-slack-request-timestamp": "yesterday" } })],
  ["with half a signature", "unsigned", () => signed({ headers: { "x-slack-signature": "v0=abc" } })],
  [
    "with a signature of an unknown version",
    "unsigned",
    () => signed({ headers: { "x-slack-signature": `v1=${"0".repeat(64)}` } }),
  ],
] as const)("A call %s is refused, counted and sampled", async (_, kind, request) => {
  await expectRefused(request(), 401, kind);
  await waitFor(async () => (await entries("forgery")).some(({ verb }) => verb === kind));
});

test("A call that is sent again has no second effect, and its repetition is counted", async () => {
  const request = signed({}, "help");
  expect((await arena.slack.http.post(request)).status).toBe(200);
  await arena.slack.waitForMessage(({ text }) => text.includes("cut one pod, or all of a workload, off"), 10_000);
  await expectRefused(request, 200, "replayed");
});

test("A call of half a megabyte and more is turned away before it is read", async () => {
  const answer = await arena.slack.http.post({ ...signed(), body: "x".repeat(600_000) });
  expect([413, 0]).toContain(answer.status);
  expect(written()).toEqual([]);
  posted += 1;
});

test("A genuine call whose content makes no sense is refused as malformed", async () => {
  const request = signed({ headers: { "content-type": "text/xml" } });
  await expectRefused(request, 400, "malformed");
});

test("A thousand forged calls are one entry a kind, and the chain stays short", async () => {
  const before = (await entries("forgery")).length;
  for (let batch = 0; batch < 20; batch++)
    await Promise.all(
      Array.from({ length: 50 }, () => arena.slack.http.post(signed({ secret: "guess-number-one-of-many" }))),
    );
  expect(await counted("forged")).toBeGreaterThanOrEqual(1_000);
  expect((await entries("forgery")).length).toBeLessThanOrEqual(before + 5);
});
