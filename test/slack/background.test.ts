import { afterEach, beforeEach, expect, test } from "vitest";
import type { Operation } from "../../src/policy/operation.ts";
import { anOperation } from "../scheduler/operation.ts";
import { type Edge, startEdge } from "./edge.ts";
import { type FaultyApi, startFaultyApi } from "./faulty-api.ts";
import { card, confirmButton, note } from "./replies.ts";

let edge: Edge;
let api: FaultyApi;

beforeEach(async () => {
  edge = await startEdge({
    apiUrl: async (sandbox) => {
      api = await startFaultyApi(() => sandbox.apiUrl);
      return api.apiUrl;
    },
  });
});
afterEach(async () => {
  await edge.close();
  api.close();
});

const direct = "D0ALICE";

/** An operation that Alice asked for in that channel. */
function askedIn(channel: string | undefined): Operation {
  const principal = {
    kind: "slack",
    enterprise: undefined,
    team: "T0ACME",
    user: "U0ALICE",
    displayName: "Alice",
  } as const;
  const base = anOperation("d1");
  return { ...base, principal, origin: { ...base.origin, source: "slack", channel } };
}

const texts = (channel: string): string[] => edge.sandbox.messages(channel).map(({ text }) => text);

test("A card without a place is posted where the operation was asked for", async () => {
  const shown = await edge.slack.outletFor(askedIn("C0INCIDENT")).show(card({ headline: "ISOLATED" }), undefined);
  expect(shown).toMatchObject({ card: { channel: "C0INCIDENT" }, reached: true });
  expect(texts("C0INCIDENT")).toEqual([expect.stringContaining("ISOLATED")]);
  expect(texts(direct)).toEqual([]);
});

test.each([
  ["the bot is not in", "C0RANDOM"],
  ["the bot cannot see", "C0SECRET"],
  ["is archived", "C0OLD"],
  ["is shared with another organisation", "C0SHARED"],
])("Where %s the channel, it is written to the person, and updated there", async (_, channel) => {
  const outlet = edge.slack.outletFor(askedIn(channel));
  const shown = await outlet.show(card({ headline: "ISOLATED", buttons: [confirmButton] }), undefined);
  expect(shown).toEqual({
    card: { channel: direct, ts: expect.any(String), permalink: expect.any(String) },
    reached: true,
  });
  expect(texts(direct)).toEqual([expect.stringContaining("Sent to you directly")]);
  expect(await outlet.show(card({ headline: "RELEASED" }), shown.card)).toEqual(shown);
  expect(texts(direct)).toEqual([expect.stringContaining("RELEASED")]);
  expect(texts(channel)).toEqual([]);
});

test("Where Slack does not say what the channel is, nothing is posted there", async () => {
  api.break("conversations.info", { kind: "answer", status: 503, body: "no" }, 1);
  const shown = await edge.slack.outletFor(askedIn("C0INCIDENT")).show(card(), undefined);
  expect(shown).toMatchObject({ card: { channel: direct }, reached: true });
  expect(texts("C0INCIDENT")).toEqual([]);
});

test("A note goes to the person alone", async () => {
  const shown = await edge.slack.outletFor(askedIn("C0INCIDENT")).show(note("Taken over"), undefined);
  expect(shown).toEqual({ card: undefined, reached: true });
  expect([texts("C0INCIDENT"), texts(direct)]).toEqual([[], ["Taken over"]]);
});

test("A card that was deleted is posted anew in its channel", async () => {
  const outlet = edge.slack.outletFor(askedIn("C0INCIDENT"));
  const { card: first } = await outlet.show(card(), undefined);
  api.break(
    "chat.update",
    { kind: "answer", status: 200, body: JSON.stringify({ ok: false, error: "message_not_found" }) },
    1,
  );
  const again = await outlet.show(card({ headline: "ISOLATED" }), first);
  expect(again.card).toMatchObject({ channel: "C0INCIDENT" });
  expect(again.card?.ts).not.toBe(first?.ts);
});

test("What can be shown to nobody is said", async () => {
  api.break(
    "chat.postMessage",
    { kind: "answer", status: 200, body: JSON.stringify({ ok: false, error: "user_disabled" }) },
    9,
  );
  const shown = await edge.slack.outletFor(askedIn(undefined)).show(card(), undefined);
  expect(shown).toEqual({ card: undefined, reached: false });
  const atTerminal = { ...askedIn(undefined), principal: { kind: "in-pod" } as const };
  expect(await edge.slack.outletFor(atTerminal).show(card(), undefined)).toEqual({ card: undefined, reached: false });
  expect(edge.events).toContain("undeliverable");
});

test("What is said below a card is in its thread, and a press on a button there is one on the card", async () => {
  const outlet = edge.slack.outletFor(askedIn("C0INCIDENT"));
  const { card: shown } = await outlet.show(card({ headline: "OPEN" }), undefined);
  if (shown === undefined) throw new Error("there is no card");
  const below = card({ shape: "note", headline: "Still used?", buttons: [{ ...confirmButton, action: "extend" }] });
  expect(await outlet.follow?.(below, shown)).toBe(true);
  const message = edge.sandbox.messages("C0INCIDENT").at(-1)!;
  expect([message.threadTs, message.text]).toEqual([shown.ts, expect.stringContaining("Still used?")]);
  await edge.sandbox.press({ user: "U0ALICE", message, button: 0 });
  await edge.slack.drain(2_000);
  expect(edge.presses).toMatchObject([{ action: "extend", card: { channel: "C0INCIDENT", ts: shown.ts } }]);
});

test("Where nothing can be written below a card it says so, and does not throw", async () => {
  const outlet = edge.slack.outletFor(askedIn("C0RANDOM"));
  const elsewhere = { channel: "C0RANDOM", ts: "1.0" };
  expect(await outlet.follow?.(note("Still used?"), elsewhere)).toBe(false);
  expect(texts("C0RANDOM")).toEqual([]);
});
