import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "../../src/slack/calls.ts";
import { createPeople, type People } from "../../src/slack/people.ts";
import { type FaultyApi, startFaultyApi } from "./faulty-api.ts";

let api: FaultyApi;
let people: People;
let now = 0;
const lines: string[] = [];

beforeAll(async () => {
  api = await startFaultyApi(() => "http://127.0.0.1:1/");
});
afterAll(() => api.close());
beforeEach(() => {
  now = 0;
  lines.length = 0;
  api.calls.length = 0;
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const client = createClient({ botToken: "xoxb-test", apiUrl: api.apiUrl, timeoutMs: 1_000, log });
  people = createPeople(client, { now: () => now, log });
});

function answer(method: string, body: object, times = 1): void {
  api.break(method, { kind: "answer", status: 200, body: JSON.stringify({ ok: true, ...body }) }, times);
}

const refuse = (method: string, error: string): void => answer(method, { ok: false, error });

describe("users.info", () => {
  test.each([
    [{ deleted: true }, "a deactivated account"],
    [{ is_bot: true }, "a bot"],
    [{ is_workflow_bot: true }, "a bot"],
    [{ is_connector_bot: true }, "a bot"],
    [{ is_restricted: true }, "a guest account"],
    [{ is_ultra_restricted: true }, "a guest account"],
    [{}, undefined],
  ])("%o is %s", async (flags, unfit) => {
    answer("users.info", { user: { id: "U1", team_id: "T1", name: "alice", ...flags } });
    expect(await people.person("U1")).toMatchObject({ found: true, unfit, teams: ["T1"], stranger: false });
  });

  test("A stranger and the workspaces of an organisation's member are told", async () => {
    answer("users.info", {
      user: {
        id: "U1",
        team_id: "T1",
        is_stranger: true,
        enterprise_user: { enterprise_id: "E1", teams: ["T1", "T2"] },
      },
    });
    expect(await people.person("U1")).toMatchObject({ stranger: true, enterprise: "E1", teams: ["T1", "T1", "T2"] });
  });

  test("The name is the one that people see, else the next best", async () => {
    answer("users.info", { user: { name: "alice", real_name: "Alice Doe", profile: { display_name: "" } } });
    expect(await people.person("U1")).toMatchObject({ displayName: "Alice Doe", teams: [] });
  });

  test("A user that Slack does not know is nobody; any other refusal is no answer", async () => {
    refuse("users.info", "user_not_found");
    expect(await people.person("U1")).toEqual({ found: false });
    refuse("users.info", "missing_scope");
    await expect(people.person("U2")).rejects.toThrow("missing_scope");
    answer("users.info", {});
    await expect(people.person("U3")).rejects.toThrow("named no user");
    api.break("users.info", { kind: "hang" }, 1);
    await expect(people.person("U4")).rejects.toThrow();
  });
});

describe("conversations.info", () => {
  test.each([
    [{ is_ext_shared: true }, "shared"],
    [{ is_pending_ext_shared: true }, "shared"],
    [{ is_shared: true }, "shared"],
    [{ is_shared: true, is_org_shared: true }, "internal"],
    [{ is_shared: true, is_org_shared: true, is_ext_shared: true }, "shared"],
    [{ is_im: true }, "internal"],
    [{}, "internal"],
  ])("%o is %s", async (flags, kind) => {
    answer("conversations.info", { channel: { id: "C1", ...flags } });
    expect(await people.channel("C1")).toEqual({ kind });
  });

  test.each(["channel_not_found", "no_permission", "missing_scope"])("%s: the bot has no view of it", async (error) => {
    refuse("conversations.info", error);
    expect(await people.channel("C1")).toEqual({ kind: "unseen" });
    expect(lines.join("").includes("may not ask")).toBe(error === "missing_scope");
  });

  test("Anything else is no answer", async () => {
    refuse("conversations.info", "internal_error");
    await expect(people.channel("C1")).rejects.toThrow("internal_error");
  });
});

test("Answers hold for a minute, that a channel is unseen for ten seconds, failures not at all", async () => {
  answer("users.info", { user: { team_id: "T1" } }, 9);
  await people.person("U1");
  now = 59_999;
  await people.person("U1");
  expect(api.calls).toEqual(["users.info"]);
  now = 60_000;
  await people.person("U1");
  expect(api.calls).toEqual(["users.info", "users.info"]);

  refuse("conversations.info", "channel_not_found");
  expect(await people.channel("C1")).toEqual({ kind: "unseen" });
  answer("conversations.info", { channel: { id: "C1" } });
  expect(await people.channel("C1")).toEqual({ kind: "unseen" });
  now += 10_000;
  expect(await people.channel("C1")).toEqual({ kind: "internal" });

  refuse("conversations.info", "internal_error");
  await expect(people.channel("C2")).rejects.toThrow();
  answer("conversations.info", { channel: { id: "C2" } });
  expect(await people.channel("C2")).toEqual({ kind: "internal" });
});

test("The bot's own workspace is asked until it is known, and then not again", async () => {
  refuse("auth.test", "internal_error");
  await expect(people.ownTeam()).rejects.toThrow();
  answer("auth.test", { team_id: "T1" });
  expect(await people.ownTeam()).toBe("T1");
  now += 1e9;
  expect(await people.ownTeam()).toBe("T1");
});
