import { afterEach, expect, test } from "vitest";
import type { Reply } from "../../src/commands/reply.ts";
import { waitFor } from "../wait.ts";
import { type Edge, startEdge } from "./edge.ts";
import { card, note } from "./replies.ts";

let edge: Edge;
afterEach(() => edge.close());

const page: Reply = {
  ...note("1 in force"),
  sections: [
    {
      kind: "row",
      text: "q-7f3kabc: quarantine payments/checkout, in-force",
      subject: "q-7f3kabc",
      buttons: [
        { url: "https://acme.slack.com/archives/C1/p1", label: "Open card" },
        { action: "release", label: "Release" },
      ],
    },
  ],
};

const wordsOf = (home: { readonly blocks: readonly unknown[] } | undefined): string => JSON.stringify(home?.blocks);

test("The home tab is drawn for whoever opens it, by the rights of that person", async () => {
  edge = await startEdge();
  await edge.sandbox.openHome("U0ALICE");
  const home = await edge.sandbox.waitForHome("U0ALICE");
  expect(wordsOf(home)).toContain("The page of slack:T0ACME/U0ALICE");
  expect(edge.homes).toEqual([
    {
      principal: { kind: "slack", enterprise: undefined, team: "T0ACME", user: "U0ALICE", displayName: "Alice" },
      at: expect.any(Number),
    },
  ]);
  expect(edge.sandbox.home("U0BOB")).toBeUndefined();
});

test("The messages tab draws nothing", async () => {
  edge = await startEdge();
  await edge.sandbox.event({ type: "app_home_opened", user: "U0ALICE", channel: "D0ALICE", tab: "messages" });
  await edge.sandbox.openHome("U0BOB");
  await edge.sandbox.waitForHome("U0BOB");
  expect(edge.homes).toHaveLength(1);
});

test("A guest is told why there is nothing, and nobody asks the desk", async () => {
  edge = await startEdge({ home: () => page });
  await edge.sandbox.openHome("U0GUEST");
  const home = await edge.sandbox.waitForHome("U0GUEST");
  expect(wordsOf(home)).toContain("a guest account");
  expect(edge.homes).toEqual([]);
});

test("A stranger's tab stays as it is", async () => {
  edge = await startEdge({ home: () => page });
  await edge.sandbox.openHome("U0STRANGER");
  await edge.sandbox.openHome("U0ALICE");
  await edge.sandbox.waitForHome("U0ALICE");
  expect(edge.sandbox.home("U0STRANGER")).toBeUndefined();
});

test("A press there is a press like any other; what is new goes to the person, and the tab is drawn anew", async () => {
  edge = await startEdge({ home: () => page });
  await edge.sandbox.openHome("U0ALICE");
  await edge.sandbox.waitForHome("U0ALICE");
  edge.doesOnPress(async (_, outlet) => {
    const reply = card({ headline: "Plan: release payments/checkout" });
    await outlet.show(reply, undefined);
    return reply;
  });
  const { acknowledgement } = await edge.sandbox.pressHome({ user: "U0ALICE", button: "np:release" });
  expect(acknowledgement.kind).toBe("acknowledged");
  const plan = await edge.sandbox.waitForMessage(({ text }) => text.includes("Plan: release"));
  expect(plan.channel).toBe("D0ALICE");
  expect(edge.presses).toMatchObject([
    { action: "release", operation: "q-7f3kabc", card: undefined, channel: undefined },
  ]);
  await waitFor(() => edge.homes.length === 2);
});

test("Open card leads to the card and asks nobody anything", async () => {
  edge = await startEdge({ home: () => page });
  await edge.sandbox.openHome("U0ALICE");
  const home = await edge.sandbox.waitForHome("U0ALICE");
  expect(wordsOf(home)).toContain('"url":"https://acme.slack.com/archives/C1/p1"');
  const { acknowledgement } = await edge.sandbox.pressHome({ user: "U0ALICE", button: "np:open" });
  expect(acknowledgement.kind).toBe("acknowledged");
  expect(await edge.slack.drain(1_000)).toBe(true);
  expect(edge.presses).toEqual([]);
});

test("Somebody who opens it ten times at once makes few calls, and sees the latest", async () => {
  let drawn = 0;
  edge = await startEdge({ home: () => note(`Page ${++drawn}`) });
  await Promise.all(Array.from({ length: 10 }, () => edge.sandbox.openHome("U0ALICE")));
  expect(await edge.slack.drain(2_000)).toBe(true);
  const published = edge.sandbox.calls.filter(({ method }) => method === "views.publish");
  expect(published.length).toBeLessThan(6);
  expect(wordsOf(edge.sandbox.home("U0ALICE"))).toContain(`Page ${drawn}`);
});

test("Where Slack does not take it, it is logged and counted, and drawn when the tab is opened again", async () => {
  edge = await startEdge({ home: () => page });
  edge.sandbox.faults.add({ kind: "error", error: "internal_error", method: "views.publish", times: 1 });
  await edge.sandbox.openHome("U0ALICE");
  await waitFor(() => edge.events.includes("home-failed"));
  await edge.sandbox.openHome("U0ALICE");
  await edge.sandbox.waitForHome("U0ALICE");
});
