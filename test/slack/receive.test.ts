import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CardReference } from "../../src/policy/operation.ts";
import { waitFor } from "../wait.ts";
import { type Edge, show, startEdge } from "./edge.ts";
import { card, confirmButton, note } from "./replies.ts";

let edge: Edge;
beforeEach(async () => {
  edge = await startEdge();
});
afterEach(() => edge.close());

const alice = { user: "U0ALICE", channel: "C0INCIDENT" };
const bob = { user: "U0BOB", channel: "C0INCIDENT" };

const headline = (text: string) => (message: { readonly text: string }) => message.text.includes(text);

describe("commands", () => {
  test("A command is acknowledged with what was understood and its id, and becomes a request", async () => {
    const { shown } = await edge.sandbox.command({ ...alice, text: "quarantine a/b odd <egress>" });
    expect(shown?.text).toBe("Understood: quarantine a/b odd &lt;egress&gt; (q-7f3kabc)");
    expect(JSON.stringify(shown?.blocks)).not.toContain("mrkdwn");
    await waitFor(() => edge.requests.length > 0);
    expect(edge.requests[0]).toEqual({
      principal: { kind: "slack", enterprise: undefined, team: "T0ACME", user: "U0ALICE", displayName: "Alice" },
      source: "slack",
      channel: "C0INCIDENT",
      text: "quarantine a/b odd <egress>",
      at: expect.any(Number),
      acknowledgedAt: expect.any(Number),
      delivery: expect.stringMatching(/^slack:T0ACME:.+/),
    });
  });

  test("The acknowledgement does not wait for the desk", async () => {
    const forEver = Promise.withResolvers<never>();
    edge.does(() => forEver.promise);
    const deliveries = await Promise.all(
      Array.from({ length: 20 }, (_, at) => edge.sandbox.command({ ...alice, text: `status ${at}` })),
    );
    expect(new Set(deliveries.map(({ acknowledgement }) => acknowledgement.kind))).toEqual(new Set(["acknowledged"]));
    expect(edge.acks).toHaveLength(20);
    expect(Math.max(...edge.acks)).toBeLessThan(2_000);
  });

  test("A delivery that comes three times has one key, so that the desk can tell", async () => {
    const delivery = await edge.sandbox.command({ ...alice, text: "status" });
    const envelope = { ...delivery.envelope, envelope_id: "another-envelope" };
    await edge.sandbox.deliverAgain(delivery, 1);
    await edge.sandbox.deliverAgain({ ...delivery, envelope }, 1);
    await waitFor(() => edge.requests.length === 3);
    expect(new Set(edge.requests.map((request) => request.delivery)).size).toBe(1);
    await edge.sandbox.command({ ...alice, text: "status" });
    await waitFor(() => edge.requests.length === 4);
    expect(new Set(edge.requests.map((request) => request.delivery)).size).toBe(2);
  });

  test("A card is posted in the channel, without unfurling, and its reference has a permalink", async () => {
    let reference: CardReference | undefined;
    edge.does(async (_, outlet) => {
      reference = (await outlet.show(card({ buttons: [confirmButton] }), undefined)).card;
      return card();
    });
    await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
    const message = await edge.sandbox.waitForMessage(headline("PLANNED"));
    await waitFor(() => reference);
    expect(message).toMatchObject({ channel: "C0INCIDENT", ephemeralTo: undefined });
    expect(reference).toEqual({
      channel: "C0INCIDENT",
      ts: message.ts,
      permalink: `https://acme.slack.com/archives/C0INCIDENT/p${message.ts.replace(".", "")}`,
    });
    const [post] = edge.sandbox.calls.filter(({ method }) => method === "chat.postMessage");
    expect(post!.args).toMatchObject({ unfurl_links: "false", unfurl_media: "false" });
    expect(post!.args).not.toHaveProperty("link_names");
    expect(post!.args).not.toHaveProperty("parse");
  });

  test("A card is updated in place, several updates end in the last, and the background can do it, too", async () => {
    let reference: CardReference | undefined;
    edge.does(async (_, outlet) => {
      reference = (await outlet.show(card(), undefined)).card;
      const states = ["RUNNING", "LABELLED", "ISOLATED"];
      await Promise.all(states.map((state) => outlet.show(card({ headline: state }), reference)));
      return card();
    });
    await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
    await edge.sandbox.waitForMessage(headline("ISOLATED"));
    expect(edge.sandbox.messages("C0INCIDENT")).toHaveLength(1);
    expect(edge.sandbox.calls.filter(({ method }) => method === "chat.update")).toHaveLength(1);
    await edge.slack.outlet.show(card({ headline: "Still needed?" }), reference);
    expect(edge.sandbox.messages("C0INCIDENT").map(({ text }) => text)).toEqual(["Still needed?"]);
    expect(edge.sandbox.calls.at(-1)).toMatchObject({ method: "chat.update", args: { parse: "none" } });
  });

  test("A note is for the caller alone", async () => {
    edge.does(show(note("You may do this and that")));
    await edge.sandbox.command({ ...alice, text: "whoami" });
    const message = await edge.sandbox.waitForMessage(headline("You may do"));
    expect(message.ephemeralTo).toBe("U0ALICE");
    expect(edge.sandbox.messages("C0INCIDENT")).toEqual([]);
  });

  test("A fault of ours is logged under the delivery and answered", async () => {
    edge.does(() => Promise.reject(new Error("boom with xoxb-123-secret")));
    await edge.sandbox.command({ ...alice, text: "status" });
    const message = await edge.sandbox.waitForMessage(headline("Something went wrong inside Bulkhead"));
    expect(message.ephemeralTo).toBe("U0ALICE");
    expect(edge.events).toContain("error");
    expect(edge.logged()).toContain("boom");
    expect(edge.logged()).not.toContain("secret");
  });

  test("Commands that this app does not have are acknowledged and counted", async () => {
    const { acknowledgement } = await edge.sandbox.command({ ...alice, text: "x", command: "/other" });
    expect(acknowledgement.kind).toBe("acknowledged");
    expect(edge.events).toContain("unmatched");
    expect(edge.requests).toEqual([]);
  });

  test("A payload without a user is acknowledged and counted, and goes no further", async () => {
    const delivery = await edge.sandbox.command({ ...alice, text: "status" });
    await waitFor(() => edge.requests.length === 1);
    const { user_id: _, ...payload } = delivery.envelope.payload;
    const forged = { ...delivery, envelope: { ...delivery.envelope, payload } };
    const [again] = await edge.sandbox.deliverAgain(forged, 1);
    expect(again!.acknowledgement.kind).toBe("acknowledged");
    expect(edge.events).toContain("malformed");
    expect(edge.requests).toHaveLength(1);
  });

  test("Nothing is sent to a response_url that is not Slack's; the answer is whispered instead", async () => {
    edge.does(show(note("You may do this and that")));
    const delivery = await edge.sandbox.command({ ...alice, text: "whoami" });
    await edge.sandbox.waitForMessage(headline("You may do"));
    const payload = { ...delivery.envelope.payload, response_url: "https://evil.example/collect" };
    await edge.sandbox.deliverAgain({ ...delivery, envelope: { ...delivery.envelope, payload } }, 1);
    await waitFor(() => edge.sandbox.calls.some(({ method }) => method === "chat.postEphemeral"));
    expect(edge.events).toContain("forged-response-url");
    expect(edge.sandbox.calls.filter(({ method }) => method === "response_url")).toHaveLength(1);
  });
});

describe("where the bot is not in the channel", () => {
  test.each([
    ["a public channel", "U0ALICE", "C0RANDOM"],
    ["a private channel", "U0CAROL", "C0SECRET"],
    ["an archived channel", "U0ALICE", "C0OLD"],
  ])("In %s the card goes to the caller alone, and its buttons work", async (_, user, channel) => {
    edge.does(show(card({ buttons: [confirmButton] })));
    edge.doesOnPress(async (_press, outlet) => {
      await outlet.show(card({ headline: "RUNNING" }), undefined);
      await outlet.show(card({ headline: "ISOLATED" }), undefined);
      return card();
    });
    await edge.sandbox.command({ user, channel, text: "quarantine a/b" });
    const plan = await edge.sandbox.waitForMessage(headline("PLANNED"));
    expect(plan).toMatchObject({ channel, ephemeralTo: user });
    expect(plan.text).toContain("Only you see this");
    await edge.sandbox.press({ user, message: plan, button: "np:confirm" });
    await edge.sandbox.waitForMessage(headline("ISOLATED"));
    expect(edge.presses).toMatchObject([{ action: "confirm", operation: "q-7f3kabc", card: undefined, channel }]);
    expect(edge.sandbox.current(plan)?.text).toContain("ISOLATED");
    expect(edge.sandbox.messages(channel)).toEqual([]);
    expect(edge.events).toContain("answered-privately");
  });

  test("Nothing is ever posted in a channel that the bot has no view of", async () => {
    await edge.sandbox.command({ user: "U0CAROL", channel: "C0SECRET", text: "quarantine a/b" });
    await edge.sandbox.waitForMessage(headline("PLANNED"));
    expect(edge.sandbox.calls.filter(({ method }) => method.startsWith("chat."))).toEqual([]);
  });

  test("A card that went to the caller alone stays there, also when the bot has been invited meanwhile", async () => {
    edge.does(show(card({ buttons: [confirmButton] })));
    edge.doesOnPress(show(card({ headline: "ISOLATED" })));
    await edge.sandbox.command({ user: "U0ALICE", channel: "C0RANDOM", text: "quarantine a/b" });
    const plan = await edge.sandbox.waitForMessage(headline("PLANNED"));
    edge.sandbox.setMembers("C0RANDOM", ["U0ALICE", edge.sandbox.botUserId]);
    await edge.sandbox.press({ user: "U0ALICE", message: plan, button: 0 });
    await edge.sandbox.waitForMessage(headline("ISOLATED"));
    expect(edge.sandbox.current(plan)?.text).toContain("ISOLATED");
    expect(edge.sandbox.messages("C0RANDOM")).toEqual([]);
  });

  test("A channel that refused one card is not asked again by the same command", async () => {
    edge.does(async (request, outlet) => {
      await show(card())(request, outlet);
      return show(card({ headline: "ISOLATED" }))(request, outlet);
    });
    await edge.sandbox.command({ user: "U0ALICE", channel: "C0RANDOM", text: "quarantine a/b" });
    await edge.sandbox.waitForMessage(headline("ISOLATED"));
    expect(edge.sandbox.calls.filter(({ method }) => method === "chat.postMessage")).toHaveLength(1);
  });

  test("After four answers the last use of the response_url is kept for the outcome", async () => {
    edge.does(async (_, outlet) => {
      for (let step = 1; step <= 8; step += 1) await outlet.show(card({ headline: `step ${step} of 8` }), undefined);
      return card();
    });
    await edge.sandbox.command({ user: "U0CAROL", channel: "C0SECRET", text: "quarantine a/b" });
    await edge.sandbox.waitForMessage(headline("step 8"));
    const said = edge.sandbox.calls.filter(({ method }) => method === "response_url").map(({ args }) => args["text"]);
    expect(said.map((text) => String(text).slice(0, 6))).toEqual(["step 1", "step 2", "step 3", "step 4", "step 8"]);
  });
});

describe("presses", () => {
  test("A press carries the opaque id, the message, and a key of its own", async () => {
    edge.does(show(card({ buttons: [confirmButton] })));
    await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
    const message = await edge.sandbox.waitForMessage(headline("PLANNED"));
    const { acknowledgement } = await edge.sandbox.press({ user: "U0BOB", message, button: "np:confirm" });
    expect(acknowledgement.kind).toBe("acknowledged");
    await edge.sandbox.waitForMessage(headline("Pressed"));
    expect(edge.presses).toEqual([
      {
        principal: { kind: "slack", enterprise: undefined, team: "T0ACME", user: "U0BOB", displayName: "Bob" },
        source: "slack",
        channel: "C0INCIDENT",
        action: "confirm",
        operation: "q-7f3kabc",
        card: { channel: "C0INCIDENT", ts: message.ts },
        at: expect.any(Number),
        delivery: expect.stringMatching(/^slack:T0ACME:.+/),
      },
    ]);
    expect(edge.presses[0]!.delivery).not.toBe(edge.requests[0]!.delivery);
  });

  test("What a press answers takes the pressed card's place, and its notes are for the presser alone", async () => {
    edge.does(show(card({ buttons: [confirmButton] })));
    edge.doesOnPress(async (press, outlet) => {
      await outlet.show(card({ headline: "ISOLATED" }), press.card);
      return show(note("Done for you"))(press, outlet);
    });
    await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
    const message = await edge.sandbox.waitForMessage(headline("PLANNED"));
    await edge.sandbox.press({ user: "U0BOB", message, button: 0 });
    const whispered = await edge.sandbox.waitForMessage(headline("Done for you"));
    expect(whispered.ephemeralTo).toBe("U0BOB");
    expect(edge.sandbox.messages("C0INCIDENT").map(({ text }) => text)).toEqual(["ISOLATED – q-7f3kabc".slice(0, 8)]);
    expect(JSON.stringify(edge.sandbox.current(message)?.blocks)).not.toContain("np:confirm");
  });

  test("A guest's press is turned away like a guest's command", async () => {
    edge.does(show(card({ buttons: [confirmButton] })));
    await edge.sandbox.command({ ...alice, text: "quarantine a/b" });
    const message = await edge.sandbox.waitForMessage(headline("PLANNED"));
    await edge.sandbox.press({ user: "U0GUEST", message, button: 0 });
    await edge.sandbox.waitForMessage(headline("guest account"));
    expect(edge.presses).toEqual([]);
    expect(edge.turnedAway).toMatchObject([{ request: { action: "confirm", principal: { user: "U0GUEST" } } }]);
  });
});

describe("who is let in", () => {
  test.each([
    ["U0DEPLOY", "C0INCIDENT", "a bot"],
    ["U0GUEST", "C0INCIDENT", "a guest account"],
    ["U0ULTRA", "C0INCIDENT", "a guest account"],
    ["U0GONE", "C0INCIDENT", "a deactivated account"],
    ["U0ALICE", "C0SHARED", "shared with another organisation"],
    ["U0ALICE", "C0PENDING", "shared with another organisation"],
  ])("%s in %s is turned away: %s", async (user, channel, why) => {
    await edge.sandbox.command({ user, channel, text: "quarantine a/b" });
    const message = await edge.sandbox.waitForMessage(headline(why));
    expect(message.ephemeralTo).toBe(user);
    expect(edge.turnedAway).toMatchObject([{ request: { principal: { team: "T0ACME", user } } }]);
    expect(edge.requests).toEqual([]);
    expect(edge.events).toContain("turned-away");
  });

  test.each(["U0STRANGER", "U0FOREIGN"])(
    "%s of another organisation gets one answer that tells nothing",
    async (user) => {
      await edge.sandbox.command({ user, channel: "C0INCIDENT", text: "quarantine a/b" });
      const message = await edge.sandbox.waitForMessage(headline("Not available to you"));
      expect(message.ephemeralTo).toBe(user);
      expect(edge.events).toContain("foreign");
      expect(edge.logged()).toContain("a foreign caller was refused");
      expect([edge.requests, edge.turnedAway]).toEqual([[], []]);
    },
  );

  test("What Slack says about a person is asked once a minute", async () => {
    await Promise.all(["one", "two", "three"].map((text) => edge.sandbox.command({ ...bob, text })));
    await waitFor(() => edge.requests.length === 3);
    await edge.sandbox.command({ ...bob, text: "four" });
    await waitFor(() => edge.requests.length === 4);
    const asked = edge.sandbox.calls.map(({ method }) => method).filter((method) => method.endsWith(".info"));
    expect(asked.sort()).toEqual(["conversations.info", "users.info"]);
  });
});

describe("connections", () => {
  test("Two connections stand, and where Slack asks both to move, new ones stand before they close", async () => {
    await waitFor(() => edge.sandbox.connections() === 2);
    edge.sandbox.disconnect("refresh_requested");
    await waitFor(() => edge.sandbox.connections() === 4);
    const { acknowledgement } = await edge.sandbox.command({ ...alice, text: "status" });
    expect(acknowledgement.kind).toBe("acknowledged");
    await waitFor(() => edge.sandbox.connections() === 2, { timeoutMs: 10_000 });
    expect(edge.slack.connected()).toBe(true);
    expect(edge.events).not.toContain("disconnected");
  });

  test("What came just before Slack asked for a move is acknowledged and answered", async () => {
    await waitFor(() => edge.sandbox.connections() === 2);
    const commands = Array.from({ length: 20 }, (_, at) => edge.sandbox.command({ ...alice, text: `status ${at}` }));
    edge.sandbox.disconnect("warning");
    const kinds = (await Promise.all(commands)).map(({ acknowledgement }) => acknowledgement.kind);
    expect(kinds).toEqual(Array(20).fill("acknowledged"));
    await waitFor(() => edge.requests.length === 20);
  });

  test("Connections that break off are opened again", async () => {
    await waitFor(() => edge.sandbox.connections() === 2);
    edge.sandbox.drop();
    await waitFor(() => edge.events.filter((name) => name === "disconnected").length === 2);
    await waitFor(() => edge.sandbox.connections() === 2);
  });

  test("After stop nothing new is taken, and drain waits for what is under way", async () => {
    const work = Promise.withResolvers<void>();
    edge.does(async (_, outlet) => {
      await work.promise;
      return show(note("Finished after all"))(undefined, outlet);
    });
    await edge.sandbox.command({ ...alice, text: "status" });
    await waitFor(() => edge.requests.length === 1);
    await edge.slack.stop();
    expect(edge.slack.connected()).toBe(false);
    await waitFor(() => edge.sandbox.connections() === 0);
    expect((await edge.sandbox.command({ ...alice, text: "late" })).acknowledgement.kind).toBe("no-connection");
    expect(await edge.slack.drain(30)).toBe(false);
    const drained = edge.slack.drain(5_000);
    work.resolve();
    expect(await drained).toBe(true);
    expect(edge.sandbox.ephemerals("U0ALICE").map(({ text }) => text)).toContain("Finished after all");
  });

  test("No token and no response_url is ever logged", async () => {
    await edge.sandbox.command({ ...alice, text: "status" });
    await edge.sandbox.waitForMessage(headline("PLANNED"));
    edge.sandbox.drop();
    await waitFor(() => edge.events.includes("disconnected"));
    expect(edge.logged()).not.toMatch(/xoxb-sandbox|xapp-sandbox|\/commands\//);
  });
});
