import { LogLevel, webApi } from "@slack/bolt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { channel as makeChannel, user as makeUser } from "../../../src/sandbox/slack/people.ts";
import { type SandboxSlack, startSandboxSlack } from "../../../src/sandbox/slack/server.ts";
import { refusal } from "./bolt.ts";

let slack: SandboxSlack;
let client: webApi.WebClient;
beforeEach(async () => {
  slack = await startSandboxSlack();
  client = new webApi.WebClient(slack.botToken, {
    slackApiUrl: slack.apiUrl,
    timeout: 5_000,
    retryConfig: { retries: 0 },
    logLevel,
  });
});
afterEach(() => slack.close());

const channel = "C0INCIDENT";
const logLevel = LogLevel.ERROR;
const divider = { type: "divider" as const };

describe("tokens", () => {
  const withToken = (token: string | undefined) =>
    refusal(new webApi.WebClient(token, { slackApiUrl: slack.apiUrl, timeout: 5_000 }).auth.test());

  test("auth.test tells the bot who it is", async () => {
    expect(await client.auth.test()).toMatchObject({
      team_id: "T0ACME",
      user_id: slack.botUserId,
      bot_id: "B0BULKHEAD",
    });
  });

  test("No token, a wrong one and the app's are told apart", async () => {
    expect(await withToken(undefined)).toBe("not_authed");
    expect(await withToken("xoxb-wrong")).toBe("invalid_auth");
    expect(await withToken(slack.appToken)).toBe("not_allowed_token_type");
  });

  test("A method that there is not is unknown", async () => {
    expect(await refusal(client.apiCall("chat.shout"))).toBe("unknown_method");
  });
});

describe("bodies", () => {
  test.each([
    ["application/json; charset=utf-8", JSON.stringify({ channel, text: "hi", blocks: [divider] })],
    [
      "application/x-www-form-urlencoded",
      `channel=${channel}&text=hi&blocks=${encodeURIComponent(JSON.stringify([divider]))}`,
    ],
  ])("Arguments arrive as %s", async (type, body) => {
    const headers = { authorization: `Bearer ${slack.botToken}`, "content-type": type };
    const response = await fetch(`${slack.apiUrl}chat.postMessage`, { method: "POST", headers, body });
    expect(await response.json()).toMatchObject({ ok: true, message: { text: "hi", blocks: [divider] } });
  });

  test("JSON that is none, and blocks that are none, are refused by name", async () => {
    const headers = { authorization: `Bearer ${slack.botToken}`, "content-type": "application/json" };
    const response = await fetch(`${slack.apiUrl}chat.postMessage`, { method: "POST", headers, body: "{" });
    expect(await response.json()).toEqual({ ok: false, error: "invalid_json" });
    const call = client.apiCall("chat.postMessage", { channel, text: "hi", blocks: "not json" });
    expect(await refusal(call)).toBe("invalid_blocks_format");
  });
});

describe("posting", () => {
  test.each([
    ["C0RANDOM", "not_in_channel"],
    ["C0SECRET", "channel_not_found"],
    ["C0NOWHERE", "channel_not_found"],
    ["C0OLD", "is_archived"],
  ])("A message to %s is refused with %s", async (where, error) => {
    expect(await refusal(client.chat.postMessage({ channel: where, text: "hi" }))).toBe(error);
  });

  test("A message needs text or blocks", async () => {
    expect(await refusal(client.chat.postMessage({ channel, text: "" }))).toBe("no_text");
    expect(await refusal(client.chat.postMessage({ channel, text: "", blocks: [] }))).toBe("no_text");
  });

  test("Every ts is a string and another one", async () => {
    const sent = await Promise.all(Array.from({ length: 50 }, () => client.chat.postMessage({ channel, text: "hi" })));
    expect(new Set(sent.map(({ ts }) => ts)).size).toBe(50);
    expect(sent.every(({ ts }) => /^\d+\.\d{6}$/.test(ts ?? ""))).toBe(true);
  });

  test("An ephemeral goes to members only, and only they see it", async () => {
    slack.setMembers(channel, [slack.botUserId, "U0ALICE"]);
    await client.chat.postEphemeral({ channel, user: "U0ALICE", text: "psst" });
    expect(slack.ephemerals("U0ALICE", channel)).toHaveLength(1);
    expect(slack.messages(channel)).toEqual([]);
    const toBob = client.chat.postEphemeral({ channel, user: "U0BOB", text: "psst" });
    expect(await refusal(toBob)).toBe("user_not_in_channel");
  });

  test("Once the app is invited it may post, and once removed no more", async () => {
    slack.setMembers("C0RANDOM", [slack.botUserId]);
    expect(await client.chat.postMessage({ channel: "C0RANDOM", text: "hi" })).toMatchObject({ ok: true });
    slack.setMembers("C0RANDOM", []);
    expect(await refusal(client.chat.postMessage({ channel: "C0RANDOM", text: "hi" }))).toBe("not_in_channel");
  });
});

describe("changing", () => {
  const post = async () => String((await client.chat.postMessage({ channel, text: "first", blocks: [divider] })).ts);

  test("An update with text and without blocks removes the blocks", async () => {
    const ts = await post();
    await client.chat.update({ channel, ts, text: "second" });
    expect(slack.messages(channel)[0]).toMatchObject({ ts, text: "second", blocks: [], edited: true });
  });

  test("A text of more than 4,000 bytes is too long for an update, whatever the blocks, and not for a post", async () => {
    const long = "–".repeat(1_334);
    const blocks = [{ type: "divider" }];
    const { ts = "" } = await client.chat.postMessage({ channel, text: long, blocks });
    expect(await refusal(client.chat.update({ channel, ts, text: long, blocks }))).toBe("msg_too_long");
    await client.chat.update({ channel, ts, text: long.slice(1), blocks });
  });

  test("What is not there, what somebody else wrote and ephemerals cannot be updated", async () => {
    const nowhere = client.chat.update({ channel, ts: "1.000001", text: "x" });
    expect(await refusal(nowhere)).toBe("message_not_found");
    const { ts: theirs } = slack.say({ user: "U0BOB", channel, text: "mine" });
    expect(await refusal(client.chat.update({ channel, ts: theirs, text: "x" }))).toBe("cant_update_message");
    expect(await refusal(client.chat.delete({ channel, ts: theirs }))).toBe("cant_delete_message");
    await slack.command({ user: "U0ALICE", channel, text: "" });
    const ephemeral = slack.ephemerals("U0ALICE")[0]!;
    expect(await refusal(client.chat.update({ channel, ts: ephemeral.ts, text: "x" }))).toBe("message_not_found");
    expect(await refusal(client.chat.update({ channel, ts: await post(), text: "" }))).toBe("no_text");
  });

  test("A deleted message is gone for every method", async () => {
    const ts = await post();
    const { permalink } = await client.chat.getPermalink({ channel, message_ts: ts });
    expect(permalink).toBe(`https://acme.slack.com/archives/${channel}/p${ts.replace(".", "")}`);
    await client.chat.delete({ channel, ts });
    expect(await refusal(client.chat.update({ channel, ts, text: "x" }))).toBe("message_not_found");
    expect(await refusal(client.chat.delete({ channel, ts }))).toBe("message_not_found");
    expect(await refusal(client.chat.getPermalink({ channel, message_ts: ts }))).toBe("message_not_found");
  });
});

describe("people and channels", () => {
  test.each([
    ["U0ALICE", { is_bot: false, is_restricted: false, is_ultra_restricted: false, team_id: "T0ACME" }],
    ["U0DEPLOY", { is_bot: true }],
    ["U0GUEST", { is_restricted: true, is_ultra_restricted: false }],
    ["U0ULTRA", { is_restricted: true, is_ultra_restricted: true }],
    ["U0STRANGER", { is_stranger: true, team_id: "T0OTHER" }],
    ["U0FOREIGN", { is_stranger: false, team_id: "T0OTHER" }],
    ["U0GONE", { deleted: true }],
  ])("users.info tells what %s is", async (user, expected) => {
    expect((await client.users.info({ user })).user).toMatchObject(expected);
  });

  test.each([
    [channel, { is_member: true, is_private: false, is_ext_shared: false, is_pending_ext_shared: false }],
    ["C0RANDOM", { is_member: false }],
    ["C0PRIVATE", { is_private: true, is_member: true }],
    ["C0SHARED", { is_ext_shared: true }],
    ["C0PENDING", { is_pending_ext_shared: true, is_ext_shared: false }],
    ["C0OLD", { is_archived: true }],
  ])("conversations.info tells what %s is", async (id, expected) => {
    expect((await client.conversations.info({ channel: id })).channel).toMatchObject(expected);
  });

  test("Nobody learns of who is not there, or of a private channel without the app", async () => {
    expect(await refusal(client.users.info({ user: "U0NOBODY" }))).toBe("user_not_found");
    expect(await refusal(client.conversations.info({ channel: "C0SECRET" }))).toBe("channel_not_found");
    expect(await refusal(client.conversations.members({ channel: "C0SECRET" }))).toBe("channel_not_found");
  });

  test("A workspace may be made of other people and channels, with names as hostile as people choose", async () => {
    const eve = makeUser("U9EVE", "eve", { displayName: "<!channel> *Eve*\u202E" });
    const room = makeChannel("C9ROOM", "room", { members: ["U9EVE"] });
    const other = await startSandboxSlack({ users: [eve], channels: [room] });
    const there = new webApi.WebClient(other.botToken, { slackApiUrl: other.apiUrl, timeout: 5_000 });
    const { user } = await there.users.info({ user: "U9EVE" });
    expect(user?.profile?.display_name).toBe(eve.displayName);
    expect((await there.conversations.members({ channel: "C9ROOM" })).members).toEqual(["U9EVE"]);
    expect(await refusal(there.users.info({ user: "U0ALICE" }))).toBe("user_not_found");
    await other.close();
  });

  test("Members come in pages", async () => {
    const members: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.conversations.members({ channel, limit: 4, ...(cursor && { cursor }) });
      expect(page.members!.length).toBeLessThanOrEqual(4);
      members.push(...page.members!);
      cursor = page.response_metadata?.next_cursor;
    } while (cursor !== "");
    expect(members).toEqual(slack.channel(channel)?.members);
  });
});

describe("user groups", () => {
  test("Groups have members, and a disabled one is told of only where that is asked", async () => {
    const { usergroups } = await client.usergroups.list({ include_users: true });
    expect(usergroups?.map(({ handle, users }) => [handle, users])).toEqual([
      ["oncall", ["U0CAROL", "U0GONE"]],
      ["platform", ["U0BOB"]],
    ]);
    expect((await client.usergroups.list({ include_disabled: true })).usergroups).toHaveLength(3);
    slack.setGroup("S0ONCALL", ["U0ALICE"]);
    expect((await client.usergroups.users.list({ usergroup: "S0ONCALL" })).users).toEqual(["U0ALICE"]);
  });

  test("What there is not, and a workspace that does not pay, are refused by name", async () => {
    expect(await refusal(client.usergroups.users.list({ usergroup: "S0NOWHERE" }))).toBe("no_such_subteam");
    slack.setPlan("free");
    expect(await refusal(client.usergroups.list())).toBe("plan_upgrade_required");
    expect(await refusal(client.usergroups.users.list({ usergroup: "S0ONCALL" }))).toBe("plan_upgrade_required");
  });
});

describe("direct messages", () => {
  test("A message to a person is in the direct message with them", async () => {
    const { channel: direct } = await client.conversations.open({ users: "U0ALICE", return_im: true });
    expect(direct).toMatchObject({ id: "D0ALICE", is_im: true, user: "U0ALICE" });
    const posted = await client.chat.postMessage({ channel: "U0ALICE", text: "psst" });
    expect(posted.channel).toBe("D0ALICE");
    await client.chat.update({ channel: "D0ALICE", ts: posted.ts!, text: "changed" });
    expect(slack.messages("D0ALICE").map(({ text }) => text)).toEqual(["changed"]);
    expect((await client.conversations.info({ channel: "D0ALICE" })).channel).toMatchObject({ is_im: true });
    expect(slack.messages(channel)).toEqual([]);
  });

  test.each([
    ["U0NOBODY", "user_not_found"],
    ["U0GONE", "user_disabled"],
    ["U0DEPLOY", "cannot_dm_bot"],
  ])("There is none with %s", async (users, error) => {
    expect(await refusal(client.conversations.open({ users }))).toBe(error);
  });
});

test("Every call is on record with its time, its arguments and its error", async () => {
  await client.chat.postMessage({ channel, text: "hi", blocks: [divider] });
  await refusal(client.chat.postMessage({ channel: "C0RANDOM", text: "hi" }));
  expect(slack.calls).toEqual([
    {
      method: "chat.postMessage",
      at: expect.any(Number),
      args: { channel, text: "hi", blocks: [divider] },
      error: undefined,
    },
    {
      method: "chat.postMessage",
      at: expect.any(Number),
      args: { channel: "C0RANDOM", text: "hi" },
      error: "not_in_channel",
    },
  ]);
});
