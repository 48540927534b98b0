import { afterEach, beforeEach, expect, test } from "vitest";
import type { Message } from "../../../src/sandbox/slack/workspace.ts";
import { type ConnectedBolt, connectBolt } from "./bolt.ts";

let now = 1_700_000_000_000;
let connected: ConnectedBolt;
beforeEach(async () => {
  connected = await connectBolt(
    (app) => {
      app.command("/np", ({ ack }) => ack());
      app.action(/.*/, ({ ack }) => ack());
    },
    { now: () => now },
  );
});
afterEach(() => connected.close());

const buttons = [
  { type: "actions", elements: [{ type: "button", action_id: "a", text: { type: "plain_text", text: "A" } }] },
];

async function commandUrl(channel = "C0INCIDENT"): Promise<string> {
  const { envelope } = await connected.slack.command({ user: "U0ALICE", channel, text: "" });
  return String(envelope.payload["response_url"]);
}

async function pressUrl(message: Message): Promise<string> {
  const { envelope } = await connected.slack.press({ user: "U0ALICE", message, button: 0 });
  return String(envelope.payload["response_url"]);
}

/** The status, and with a refusal its error. */
async function respond(url: string, body: unknown): Promise<string> {
  const response = await fetch(url, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
  const text = await response.text();
  return response.ok ? `${response.status} ${text}` : `${response.status} ${JSON.parse(text).error}`;
}

const texts = (messages: readonly Message[]) => messages.map(({ text }) => text);
const mine = () => texts(connected.slack.ephemerals("U0ALICE"));

test("An answer is for the one who asked, also where the app is no member", async () => {
  expect(await respond(await commandUrl("C0RANDOM"), { text: "only you" })).toBe("200 ok");
  expect(mine()).toEqual(["only you"]);
  expect(connected.slack.messages("C0RANDOM")).toEqual([]);
  await respond(await commandUrl("C0SECRET"), { text: "all of you", response_type: "in_channel" });
  expect(texts(connected.slack.messages("C0SECRET"))).toEqual(["all of you"]);
});

test("Five answers, then no more", async () => {
  const url = await commandUrl();
  for (let at = 0; at < 5; at += 1) expect(await respond(url, { text: `${at}` })).toBe("200 ok");
  expect(await respond(url, { text: "six" })).toBe("404 used_url");
  expect(mine()).toEqual(["0", "1", "2", "3", "4"]);
});

test("Thirty minutes, then no more", async () => {
  const url = await commandUrl();
  now += 30 * 60_000;
  expect(await respond(url, { text: "just in time" })).toBe("200 ok");
  now += 1;
  expect(await respond(url, { text: "late" })).toBe("404 expired_url");
  expect(await respond(`${url}x`, { text: "made up" })).toBe("404 no_service");
});

test("A press may replace the message it came from, public or ephemeral, and keeps its buttons out of the new one", async () => {
  const { slack } = connected;
  await respond(await commandUrl(), { text: "card", response_type: "in_channel", blocks: buttons });
  const card = slack.messages("C0INCIDENT")[0]!;
  expect(await respond(await pressUrl(card), { text: "done", replace_original: true })).toBe("200 ok");
  expect(slack.messages("C0INCIDENT")).toEqual([{ ...card, text: "done", blocks: [], edited: true }]);

  await respond(await commandUrl(), { text: "sure?", blocks: buttons });
  const question = slack.ephemerals("U0ALICE")[0]!;
  await respond(await pressUrl(question), { text: "yes", replace_original: true });
  expect(mine()).toEqual(["yes"]);
});

test("Without replace_original a press is answered by a message of its own", async () => {
  await respond(await commandUrl(), { text: "card", response_type: "in_channel", blocks: buttons });
  await respond(await pressUrl(connected.slack.messages("C0INCIDENT")[0]!), { text: "refused" });
  expect(texts(connected.slack.messages("C0INCIDENT"))).toEqual(["card"]);
  expect(mine()).toEqual(["refused"]);
});

test("A press may delete the message it came from, once", async () => {
  await respond(await commandUrl(), { text: "sure?", blocks: buttons });
  const url = await pressUrl(connected.slack.ephemerals("U0ALICE")[0]!);
  expect(await respond(url, { delete_original: true })).toBe("200 ok");
  expect(mine()).toEqual([]);
  expect(await respond(url, { delete_original: true })).toBe("404 message_not_found");
});

test("A command has no original: what would replace one is a new message", async () => {
  const url = await commandUrl();
  await respond(url, { text: "one" });
  await respond(url, { text: "two", replace_original: true });
  expect(mine()).toEqual(["one", "two"]);
});

test("Bodies are judged like messages, and what is refused uses nothing up", async () => {
  const url = await commandUrl();
  const long = Array.from({ length: 5 }, () => ({
    type: "section",
    text: { type: "plain_text", text: "x".repeat(2_700) },
  }));
  expect(await respond(url, { text: "x", blocks: [{ type: "nonsense" }] })).toBe("400 invalid_blocks");
  expect(await respond(url, { text: "x", blocks: long })).toBe("400 msg_blocks_too_long");
  expect(await respond(url, { text: "" })).toBe("400 no_text");
  expect(await respond(url, "{")).toBe("400 invalid_payload");
  for (let at = 0; at < 5; at += 1) expect(await respond(url, { text: `${at}` })).toBe("200 ok");
});

test("Answers are on record", async () => {
  await respond(await commandUrl(), { text: "hi" });
  expect(connected.slack.calls.at(-1)).toEqual({
    method: "response_url",
    at: now,
    args: { text: "hi" },
    error: undefined,
  });
});
