import type { BlockAction, SlashCommand } from "@slack/bolt";
import { afterEach, expect, test } from "vitest";
import { waitFor } from "../../wait.ts";
import { type ConnectedBolt, connectBolt } from "./bolt.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;

let connected: ConnectedBolt | undefined;
afterEach(async () => {
  await connected?.close();
  connected = undefined;
});

async function connect(...input: Parameters<typeof connectBolt>): Promise<ConnectedBolt> {
  connected = await connectBolt(...input);
  return connected;
}

const actions = (...ids: string[]) => ({
  type: "actions" as const,
  elements: ids.map((id) => ({
    type: "button" as const,
    action_id: id,
    text: { type: "plain_text" as const, text: id },
    value: `value of ${id}`,
  })),
});

test("A command reaches Bolt with the fields of a slash command, and its acknowledgement only the one who typed it", async () => {
  const commands: SlashCommand[] = [];
  const { slack } = await connect((app) => {
    app.command("/np", async ({ ack, command }) => {
      commands.push(command);
      await ack("understood");
    });
  });
  const delivery = await slack.command({ ...alice, text: "status payments" });
  expect(delivery.acknowledgement).toMatchObject({ kind: "acknowledged", payload: { text: "understood" } });
  expect(delivery.acknowledgement).toHaveProperty("afterMs", expect.any(Number));
  const fields =
    "api_app_id channel_id channel_name command is_enterprise_install response_url team_domain team_id text token trigger_id user_id user_name";
  expect(Object.keys(commands[0]!).sort()).toEqual(fields.split(" "));
  expect(commands[0]).toMatchObject({ command: "/np", text: "status payments", user_id: "U0ALICE", team_id: "T0ACME" });
  expect(slack.ephemerals("U0ALICE").map(({ text }) => text)).toEqual(["understood"]);
  expect(slack.ephemerals("U0BOB")).toEqual([]);
  expect(slack.messages("C0INCIDENT")).toEqual([]);
});

test("An empty acknowledgement shows nothing, and one in_channel shows everybody", async () => {
  const { slack } = await connect((app) => {
    app.command("/np", ({ ack, command }) =>
      command.text === "loud" ? ack({ response_type: "in_channel", text: "heard" }) : ack(),
    );
  });
  expect((await slack.command({ ...alice, text: "quiet" })).shown).toBeUndefined();
  await slack.command({ ...alice, text: "loud" });
  expect(slack.messages("C0INCIDENT").map(({ text }) => text)).toEqual(["heard"]);
});

test("A command that nobody acknowledges in time ends in operation_timeout for the user", async () => {
  const { slack } = await connect((app) => app.command("/other", ({ ack }) => ack()), { ackLimitMs: 50 });
  const delivery = await slack.command({ ...alice, text: "status" });
  expect(delivery.acknowledgement).toEqual({ kind: "timed-out" });
  expect(slack.ephemerals("U0ALICE").at(-1)?.text).toBe('/np failed with the error "operation_timeout"');
});

test("An acknowledgement with blocks that Slack refuses is an error for the user", async () => {
  const { slack } = await connect((app) => {
    app.command("/np", ({ ack }) => ack({ text: "x", blocks: [{ type: "divider" }, { type: "nonsense" } as never] }));
  });
  expect((await slack.command({ ...alice, text: "" })).shown?.text).toContain("invalid_blocks");
});

test("A press carries what Slack sends, and the update takes the buttons away", async () => {
  const presses: BlockAction[] = [];
  const { slack } = await connect((app) => {
    app.command("/np", async ({ ack, client, command }) => {
      await ack();
      await client.chat.postMessage({ channel: command.channel_id, text: "card", blocks: [actions("yes", "no")] });
    });
    app.action(/.*/, async ({ ack, body, client }) => {
      await ack();
      if (body.type !== "block_actions") return;
      presses.push(body);
      await client.chat.update({ channel: body.channel!.id, ts: body.message!.ts, text: "done" });
    });
  });
  await slack.command({ ...alice, text: "" });
  const card = await slack.waitForMessage(({ text }) => text === "card");
  await slack.press({ user: "U0BOB", message: card, button: "no" });
  const done = await slack.waitForMessage(({ text }) => text === "done");
  expect(done).toMatchObject({ ts: card.ts, blocks: [], edited: true });
  expect(presses[0]).toMatchObject({
    type: "block_actions",
    user: { id: "U0BOB", username: "bob", team_id: "T0ACME" },
    team: { id: "T0ACME" },
    channel: { id: "C0INCIDENT", name: "incidents" },
    container: { type: "message", message_ts: card.ts, channel_id: "C0INCIDENT", is_ephemeral: false },
    message: { ts: card.ts, text: "card" },
    actions: [{ type: "button", action_id: "no", value: "value of no", block_id: expect.stringMatching(/./) }],
  });
  expect(presses[0]?.message?.["blocks"][0].block_id).toBe(presses[0]?.actions[0]?.block_id);
});

test("A press on a card as it was before an update still arrives, with the old button", async () => {
  const pressed: string[] = [];
  const { slack, app } = await connect((added) => {
    added.action(/.*/, async ({ ack, action }) => {
      await ack();
      if ("action_id" in action) pressed.push(action.action_id);
    });
  });
  const { ts } = await app.client.chat.postMessage({ channel: "C0INCIDENT", text: "card", blocks: [actions("yes")] });
  const before = slack.messages("C0INCIDENT")[0]!;
  await app.client.chat.update({ channel: "C0INCIDENT", ts: ts!, text: "closed" });
  await slack.press({ user: "U0ALICE", message: before, button: 0 });
  expect(pressed).toEqual(["yes"]);
  await expect(slack.press({ user: "U0ALICE", message: slack.current(before)!, button: 0 })).rejects.toThrow(
    "no button",
  );
});

test("A press on an ephemeral has no message, and only its reader can press", async () => {
  const presses: BlockAction[] = [];
  const { slack } = await connect((app) => {
    app.command("/np", ({ ack }) => ack({ text: "sure?", blocks: [actions("yes")] }));
    app.action("yes", async ({ ack, body, respond }) => {
      await ack();
      presses.push(body as BlockAction);
      await respond({ delete_original: true });
    });
  });
  const { shown } = await slack.command({ ...alice, text: "" });
  await expect(slack.press({ user: "U0BOB", message: shown!, button: "yes" })).rejects.toThrow("cannot see");
  await slack.press({ user: "U0ALICE", message: shown!, button: "yes" });
  await waitFor(() => slack.ephemerals("U0ALICE").length === 0);
  expect(presses[0]).not.toHaveProperty("message");
  expect(presses[0]?.container).toMatchObject({ is_ephemeral: true, message_ts: shown!.ts });
});

test("The same envelope can be delivered again, and every copy is acknowledged", async () => {
  const triggers: string[] = [];
  const { slack } = await connect((app) => {
    app.command("/np", async ({ ack, command }) => {
      triggers.push(command.trigger_id);
      await ack("understood");
    });
  });
  const first = await slack.command({ ...alice, text: "" });
  const again = await slack.deliverAgain(first, 3);
  expect(again.map(({ acknowledgement }) => acknowledgement.kind)).toEqual(Array(3).fill("acknowledged"));
  expect(again.every(({ envelope }) => envelope.envelope_id === first.envelope.envelope_id)).toBe(true);
  expect(triggers).toHaveLength(4);
  expect(new Set(triggers).size).toBe(1);
});

test("views.open takes a trigger once, and for three seconds only", async () => {
  let now = 1_700_000_000_000;
  const { slack, app } = await connect((added) => added.command("/np", ({ ack }) => ack()), { now: () => now });
  const view = { type: "modal" as const, title: { type: "plain_text" as const, text: "t" }, blocks: [] };
  const trigger = async () => String((await slack.command({ ...alice, text: "" })).envelope.payload["trigger_id"]);
  const opened = (id: string) =>
    app.client.views.open({ trigger_id: id, view }).then(
      () => "opened",
      (error: { data: { error: string } }) => error.data.error,
    );
  const [good, late] = [await trigger(), await trigger()];
  expect(await opened(good)).toBe("opened");
  expect(await opened(good)).toBe("exchanged_trigger_id");
  now += 3_001;
  expect(await opened(late)).toBe("expired_trigger_id");
  expect(await opened("made up")).toBe("invalid_trigger_id");
});
