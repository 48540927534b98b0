import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Outlet } from "../../src/commands/desk.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { createPictures } from "../../src/pictures/pictures.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { incident } from "../pictures/samples.ts";
import { waitFor } from "../wait.ts";
import { type Edge, show, startEdge } from "./edge.ts";
import { card, note } from "./replies.ts";

const drawing = createPictures();
const why = { drawn: undefined as string | undefined };
const pictures = {
  ...drawing,
  draw: (input: typeof incident) =>
    why.drawn === undefined ? drawing.draw(input) : Promise.resolve({ why: why.drawn }),
};

let edge: Edge;
beforeEach(async () => {
  edge = await startEdge({ pictures });
});
afterEach(async () => {
  why.drawn = undefined;
  await edge.close();
});
// The first one starts a thread, which on a busy machine may take longer than one waits for a picture.
beforeAll(() => waitFor(async () => !("why" in (await drawing.draw(incident))), { timeoutMs: 60_000 }));
afterAll(() => drawing.stop());

const flows = { user: "U0ALICE", channel: "C0INCIDENT", text: "flows payments" };
const withPicture = (reply: Reply): Reply => ({ ...reply, picture: incident });
const messages = (channel = "C0INCIDENT"): readonly Message[] => edge.sandbox.messages(channel);
const answers = () => edge.sandbox.ephemerals("U0ALICE").map(({ text }) => text);
const posted = (channel?: string) => messages(channel).filter(({ files }) => files !== undefined);

async function ask(reply: Reply): Promise<void> {
  edge.does(show(reply));
  await edge.sandbox.command(flows);
  await edge.slack.drain(20_000);
}

test("The picture of a card is below it, with its title and its alternative text", async () => {
  await ask(withPicture(card({ headline: "Denied in payments" })));
  const [first] = messages();
  const [picture] = posted();
  expect(picture?.threadTs).toBe(first?.ts);
  expect(picture?.files).toMatchObject([
    { title: "Denied connections in payments", alt: expect.stringContaining("peak of 1 240 connections") },
  ]);
  expect(picture?.files?.[0]?.bytes.subarray(1, 4).toString()).toBe("PNG");
  expect(edge.events).toEqual(expect.arrayContaining(["picture-posted"]));
});

test("The picture of what only the caller may see is sent to the caller alone", async () => {
  await ask(withPicture(note("Denied in payments")));
  expect(posted()).toEqual([]);
  expect(posted("D0ALICE")).toHaveLength(1);
  expect(messages("D0ALICE")[0]?.text).toContain("The picture to the answer that you got.");
  await ask({ ...withPicture(card()), picture: { ...incident, title: "second" } });
  expect(posted().map(({ files }) => files?.[0]?.title)).toEqual(["second"]);
});

test("A card that changes has its picture once, and what is said below it has its own", async () => {
  edge.does(async (_, outlet: Outlet) => {
    const first = card({ headline: "Looking", interim: true });
    const { card: shown } = await outlet.show(first, undefined);
    await outlet.show(withPicture(card({ headline: "Denied" })), shown);
    await outlet.show(withPicture(card({ headline: "Denied still" })), shown);
    if (shown !== undefined) await outlet.follow?.(withPicture(note("A spike")), shown);
    return first;
  });
  await edge.sandbox.command(flows);
  await edge.slack.drain(20_000);
  expect(posted()).toHaveLength(2);
  expect(new Set(posted().map(({ threadTs }) => threadTs))).toEqual(new Set([messages()[0]?.ts]));
});

test("The text does not wait for the picture, nor does the acknowledgement", async () => {
  edge.sandbox.faults.add({ kind: "slow", delayMs: 1_500, method: "upload", times: 1 });
  edge.does(show(withPicture(card({ headline: "Denied in payments" }))));
  await edge.sandbox.command(flows);
  await waitFor(() => messages().length === 1);
  expect(posted()).toEqual([]);
  await edge.slack.drain(20_000);
  expect(posted()).toHaveLength(1);
});

test.each([
  ["Too many pictures were asked for at once.", undefined],
  ["The app lacks the scope files:write: update it from the manifest.", "missing_scope"],
  ["This workspace allows no uploads.", "file_uploads_disabled"],
  ["Slack did not take it.", "alt_txt_too_large"],
])("Without a picture the text is there, and below it stands why: %s", async (said, error) => {
  if (error === undefined) why.drawn = said;
  else edge.sandbox.faults.add({ kind: "error", error, method: "files.*" });
  await ask(withPicture(card({ headline: "Denied in payments" })));
  const [first, second] = messages();
  expect(first?.text).toContain("Denied in payments");
  expect(second?.threadTs).toBe(first?.ts);
  expect(second?.text).toContain(said);
  expect(edge.events).toContain("picture-missing");
});

test("A rate limit is waited for, a broken upload is sent again, and nothing is shared twice", async () => {
  edge.sandbox.faults.add({ kind: "rate-limited", retryAfterS: 1, method: "files.getUploadURLExternal", times: 1 });
  edge.sandbox.faults.add({ kind: "status", status: 503, method: "upload", times: 1 });
  await ask(withPicture(card()));
  expect(posted()).toHaveLength(1);
  edge.sandbox.faults.add({ kind: "lost", by: "reset", method: "files.completeUploadExternal", times: 1 });
  await ask(withPicture(card()));
  expect(posted()).toHaveLength(2);
});

test("Where the card could not be posted in the channel, its picture is for the caller alone as well", async () => {
  edge.does(show(withPicture(card({ headline: "Denied in payments" }))));
  await edge.sandbox.command({ ...flows, channel: "C0RANDOM" });
  await edge.slack.drain(20_000);
  expect([posted("C0RANDOM"), posted("D0ALICE").length]).toEqual([[], 1]);
});

test("Whoever gets no direct messages has the text all the same, and is told that there is no picture", async () => {
  edge.sandbox.faults.add({
    kind: "error",
    error: "messages_tab_disabled",
    method: "chat.postMessage",
    channel: "U0ALICE",
  });
  await ask(withPicture(note("Denied in payments")));
  expect(answers()).toEqual([
    expect.stringContaining("Understood"),
    expect.stringContaining("Denied in payments"),
    expect.stringContaining("Bulkhead cannot send you direct messages."),
  ]);
  expect(edge.events).toContain("picture-missing");
});

test("Where nobody can be told that there is no picture, the log says it, and the text is there", async () => {
  edge.sandbox.faults.add({ kind: "error", error: "fatal_error", method: "chat.postMessage", channel: "U0ALICE" });
  edge.does(show(withPicture(note("Denied in payments"))));
  await edge.sandbox.command({ ...flows, channel: "C0RANDOM" });
  await edge.slack.drain(20_000);
  expect(answers()).toEqual([expect.stringContaining("Understood"), expect.stringContaining("Denied in payments")]);
  expect(edge.logged()).toMatch(/fatal_error.*did not take a direct message for a picture/);
  expect(edge.logged()).toMatch(/not_in_channel.*a picture got lost/);
});
