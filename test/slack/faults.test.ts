import { afterEach, beforeEach, expect, test } from "vitest";
import type { CardReference } from "../../src/policy/operation.ts";
import { waitFor } from "../wait.ts";
import { type Edge, show, startEdge } from "./edge.ts";
import { type Fault, type FaultyApi, startFaultyApi } from "./faulty-api.ts";
import { card, confirmButton, note } from "./replies.ts";

let edge: Edge;
let api: FaultyApi;
let now = Date.now();

beforeEach(async () => {
  now = Date.now();
  edge = await startEdge({
    now: () => now,
    apiUrl: async (sandbox) => {
      api = await startFaultyApi(() => sandbox.apiUrl);
      return api.apiUrl;
    },
    connected: false,
  });
});
afterEach(async () => {
  await edge.close();
  api.close();
});

const alice = { user: "U0ALICE", channel: "C0INCIDENT" };
const headline = (text: string) => (message: { readonly text: string }) => message.text.includes(text);
const refused = (error: string): Fault => ({ kind: "answer", status: 200, body: JSON.stringify({ ok: false, error }) });
const unavailable: Fault = { kind: "answer", status: 503, body: "no" };
const rateLimited: Fault = { kind: "answer", status: 429, body: "{}", retryAfter: 1 };
const calls = (method: string): number => api.calls.filter((called) => called === method).length;

/** Runs a command that posts a card, and gives its reference. */
async function posted(): Promise<CardReference> {
  return postedOn(edge);
}

async function postedOn(one: Edge): Promise<CardReference> {
  let reference: CardReference | undefined;
  one.does(async (_, outlet) => {
    reference = (await outlet.show(card({ buttons: [confirmButton] }), undefined)).card;
    return card();
  });
  await one.slack.ready;
  await one.sandbox.command({ ...alice, text: "quarantine a/b" });
  await waitFor(() => reference);
  return reference!;
}

test("While Slack does not say who it is, commands are acknowledged at once and then turned away", async () => {
  await edge.slack.ready;
  api.break("users.info", { kind: "hang" }, 1);
  const { acknowledgement } = await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
  expect(acknowledgement).toMatchObject({ kind: "acknowledged" });
  expect(edge.acks[0]).toBeLessThan(2_000);
  await waitFor(() => edge.turnedAway.length === 1);
  expect(edge.turnedAway[0]!.why).toContain("Slack did not confirm who you are");
  expect(edge.requests).toEqual([]);
});

test("No answer is not remembered: the next command goes through", async () => {
  await edge.slack.ready;
  api.break("conversations.info", unavailable, 1);
  await edge.sandbox.command({ ...alice, text: "one" });
  await waitFor(() => edge.turnedAway.length === 1);
  await edge.sandbox.command({ ...alice, text: "two" });
  await waitFor(() => edge.requests.length === 1);
});

test("A post that meets the rate limit is repeated when Slack allows it", async () => {
  api.break("chat.postMessage", rateLimited, 1);
  const { ts } = await posted();
  expect(edge.sandbox.messages("C0INCIDENT").map((message) => message.ts)).toEqual([ts]);
  expect(calls("chat.postMessage")).toBe(2);
});

test("A post that nobody answered for is not repeated: the caller is told alone", async () => {
  await edge.slack.ready;
  api.break("chat.postMessage", unavailable, 9);
  await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
  const message = await edge.sandbox.waitForMessage(headline("PLANNED"));
  expect(message.ephemeralTo).toBe("U0ALICE");
  expect(calls("chat.postMessage")).toBe(1);
  expect(edge.events).toContain("delivery-error");
});

test("A channel that fails once is tried again for the next card", async () => {
  await edge.slack.ready;
  api.break("chat.postMessage", unavailable, 1);
  edge.does(async (_, outlet) => {
    await outlet.show(card({ headline: "PLANNED" }), undefined);
    await outlet.show(card({ headline: "ISOLATED" }), undefined);
    return card();
  });
  await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
  expect(await edge.sandbox.waitForMessage(headline("ISOLATED"))).toMatchObject({ ephemeralTo: undefined });
  expect(edge.sandbox.ephemerals("U0ALICE").at(-1)?.text).toContain("it did not take the card for the channel");
});

test("An update that nobody answered for is repeated", async () => {
  const reference = await posted();
  api.break("chat.update", unavailable, 2);
  await edge.slack.outlet.show(card({ headline: "ISOLATED" }), reference);
  await edge.slack.drain(10_000);
  expect(edge.sandbox.messages("C0INCIDENT").map(({ text }) => text)).toEqual(["ISOLATED"]);
  expect(calls("chat.update")).toBe(3);
});

test("While changes of cards meet a limit, answers do not wait, and the card ends in its last state", async () => {
  const reference = await posted();
  api.break("chat.update", { ...rateLimited, retryAfter: 3 }, 1);
  const shown = ["RUNNING", "LABELLED", "ISOLATED"].map((headline) => {
    return edge.slack.outlet.show(card({ headline }), reference);
  });
  const before = edge.sandbox.messages("C0INCIDENT").length;
  edge.does(show(card({ headline: "Another plan" })));
  await edge.sandbox.command({ ...alice, text: "quarantine c/d" });
  await edge.sandbox.waitForMessage(headline("Another plan"));
  edge.does(show(note("whispered")));
  await edge.sandbox.command({ ...alice, text: "whoami" });
  await edge.sandbox.waitForMessage(headline("whispered"));
  await edge.sandbox.command({ ...alice, text: "quarantine" });
  await edge.sandbox.waitForView("U0ALICE");
  // All of this came before the limit was over.
  expect(calls("chat.update")).toBe(1);
  expect(edge.sandbox.messages("C0INCIDENT")).toHaveLength(before + 1);
  expect(await Promise.all(shown)).toEqual(Array(3).fill({ card: reference, reached: false }));
  expect(await edge.slack.drain(10_000)).toBe(true);
  expect(edge.sandbox.messages("C0INCIDENT")[0]!.text).toContain("ISOLATED");
  expect(calls("chat.update")).toBe(2);
  expect(edge.events).toContain("update-delayed");
});

test("Who pressed is told the end at once where the card cannot be changed yet, and not each step", async () => {
  const reference = await posted();
  const [message] = edge.sandbox.messages("C0INCIDENT");
  api.break("chat.update", { ...rateLimited, retryAfter: 4 }, 1);
  edge.doesOnPress(async (press, outlet) => {
    const working = outlet.show(card({ headline: "Working", interim: true }), press.card);
    await outlet.show(card({ headline: "ISOLATED" }), press.card);
    await working;
    return card();
  });
  await edge.sandbox.press({ user: "U0BOB", message: message!, button: 0 });
  const told = await edge.sandbox.waitForMessage((one) => one.ephemeralTo === "U0BOB", 10_000);
  expect(told.text).toContain("ISOLATED");
  expect(await edge.slack.drain(15_000)).toBe(true);
  expect(edge.sandbox.current(message!)?.text).toContain("ISOLATED");
  expect(edge.sandbox.ephemerals("U0BOB")).toHaveLength(1);
  expect(reference.ts).toBe(message!.ts);
}, 30_000);

test("An update that Slack will never take is logged and counted, and does not throw", async () => {
  const reference = await posted();
  api.break("chat.update", refused("invalid_auth"), 9);
  expect((await edge.slack.outlet.show(card({ headline: "ISOLATED" }), reference)).card).toEqual(reference);
  expect(edge.events).toContain("update-given-up");
  expect(edge.events).toContain("undeliverable");
  expect(edge.logged()).toContain("an answer reached nobody");
});

test("What is sent again is the card as it stands then: an older state never takes the place of a newer one", async () => {
  await edge.close();
  const asked: string[] = [];
  const plain = await startEdge({
    redraw: async (operation) => {
      asked.push(operation);
      return card({ headline: "RELEASED", operation });
    },
  });
  const reference = await postedOn(plain);
  plain.sandbox.faults.add({ kind: "status", status: 503, method: "chat.update", times: 2 });
  await plain.slack.outlet.show(card({ headline: "ISOLATED", operation: "q-7f3kabc" }), reference);
  await plain.sandbox.waitForMessage(headline("RELEASED"));
  expect(asked).toEqual(["q-7f3kabc", "q-7f3kabc"]);
  const updates = plain.sandbox.calls.filter(({ method }) => method === "chat.update");
  expect(updates.map(({ args }) => args["text"])).toEqual([
    expect.stringContaining("ISOLATED"),
    expect.stringContaining("RELEASED"),
    expect.stringContaining("RELEASED"),
  ]);
  await plain.close();
});

test("A card that somebody deleted is posted again, by a request and by the background", async () => {
  const reference = await posted();
  api.break("chat.update", refused("message_not_found"), 2);
  const { card: again } = await edge.slack.outlet.show(card({ headline: "Still needed?" }), reference);
  expect(again).toMatchObject({ channel: "C0INCIDENT" });
  expect(again?.ts).not.toBe(reference.ts);
  edge.does(async (_, outlet) => {
    await outlet.show(card({ headline: "RELEASED" }), reference);
    return card();
  });
  await edge.sandbox.command({ ...alice, text: "release a/b" });
  const message = await edge.sandbox.waitForMessage(headline("RELEASED"));
  expect(message.ephemeralTo).toBeUndefined();
});

test("Where Slack refuses the blocks, the card goes out plainly and keeps its buttons", async () => {
  api.break("chat.postMessage", refused("invalid_blocks"), 1);
  const { ts } = await posted();
  const [message] = edge.sandbox.messages("C0INCIDENT");
  expect(message).toMatchObject({ ts, blocks: [{ type: "section" }, { type: "actions" }] });
});

test("A slow permalink does not hold the card up", async () => {
  api.break("chat.getPermalink", { kind: "hang" }, 1);
  expect(await posted()).toEqual({ channel: "C0INCIDENT", ts: expect.any(String) });
});

test("A card that can go nowhere is counted", async () => {
  expect(await edge.slack.outlet.show(card(), undefined)).toEqual({ card: undefined, reached: false });
  expect(edge.events).toContain("undeliverable");
});

test("When Slack cannot be reached at first, the connection stands as soon as it can", async () => {
  await edge.close();
  api.close();
  edge = await startEdge({
    apiUrl: async (sandbox) => {
      api = await startFaultyApi(() => sandbox.apiUrl);
      api.break("apps.connections.open", unavailable, 3);
      return api.apiUrl;
    },
  });
  expect(edge.slack.connected()).toBe(true);
  expect(calls("apps.connections.open")).toBeGreaterThanOrEqual(4);
});

test("Stopping does not wait for a connection that is being opened", async () => {
  await waitFor(() => edge.sandbox.connections() === 2);
  api.break("apps.connections.open", { kind: "hang" }, 9);
  edge.sandbox.drop();
  await waitFor(() => calls("apps.connections.open") >= 4);
  const started = Date.now();
  await edge.slack.stop();
  expect(Date.now() - started).toBeLessThan(3_000);
});

test("After half an hour a response_url is not used any more", async () => {
  const plain = await startEdge({ now: () => now });
  plain.does(async (request, outlet) => {
    now += 30 * 60_000;
    return show(note("Late answer"))(request, outlet);
  });
  await plain.sandbox.command({ ...alice, text: "status" });
  const message = await plain.sandbox.waitForMessage(headline("Late answer"));
  expect(message.ephemeralTo).toBe("U0ALICE");
  expect(plain.sandbox.calls.map(({ method }) => method)).toContain("chat.postEphemeral");
  expect(plain.sandbox.calls.map(({ method }) => method)).not.toContain("response_url");
  await plain.close();
});

/** A plan of which much must be read; `name` tells one from the other in its last line. */
function longPlan(name: string) {
  const items = [...Array.from({ length: 90 }, (_, at) => `policy-${at} ${"–".repeat(20)}`), name];
  return card({ sections: [{ kind: "list", title: "Leaves", items, mustRead: true }], buttons: [confirmButton] });
}

test("A long card is updated to a long plan: the old one does not stay with its Confirm", async () => {
  const reference = await posted();
  await edge.slack.outlet.show(longPlan("the-new-one"), reference);
  await edge.slack.drain(10_000);
  const [message] = edge.sandbox.messages("C0INCIDENT");
  expect(JSON.stringify(message!.blocks)).toMatch(/the-new-one.*np:confirm/);
  expect(message!.text).toMatch(/The rest is in the message itself\.$/);
  expect(calls("chat.update")).toBe(1);
});

test("A text that Slack finds too long all the same is sent shorter, with the blocks as they are", async () => {
  const reference = await posted();
  api.break("chat.update", refused("msg_too_long"), 1);
  await edge.slack.outlet.show(longPlan("the-new-one"), reference);
  await edge.slack.drain(10_000);
  const [message] = edge.sandbox.messages("C0INCIDENT");
  expect(JSON.stringify(message!.blocks)).toMatch(/the-new-one.*np:confirm/);
  expect(Buffer.byteLength(message!.text)).toBeLessThanOrEqual(900);
  expect(message!.text).toMatch(/The rest is in the message itself\.$/);
});

test("Connections that end as soon as they stand are opened again ever more slowly", async () => {
  await edge.slack.ready;
  const opened = (): number => calls("apps.connections.open");
  const until = performance.now() + 1_500;
  await waitFor(
    () => {
      if (edge.slack.connected()) edge.sandbox.drop();
      return performance.now() > until;
    },
    { everyMs: 5 },
  );
  expect(edge.events.filter((name) => name === "disconnected").length).toBeGreaterThan(1);
  expect(opened()).toBeLessThan(13);
  await waitFor(() => edge.sandbox.connections() === 2, { timeoutMs: 20_000 });
});
