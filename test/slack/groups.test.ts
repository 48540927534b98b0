import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SandboxSlack, startSandboxSlack } from "../../src/sandbox/slack/server.ts";
import { createClient } from "../../src/slack/calls.ts";
import { createGroups } from "../../src/slack/groups.ts";
import { waitFor } from "../wait.ts";
import { type Edge, startEdge } from "./edge.ts";
import { type FaultyApi, startFaultyApi } from "./faulty-api.ts";

const onCall = "slack-group:T0ACME/S0ONCALL";
const platform = "slack-group:T0ACME/S0PLATFORM";

let sandbox: SandboxSlack;
let api: FaultyApi;
let now: number;
let events: string[];

beforeEach(async () => {
  now = 1_000_000;
  events = [];
  sandbox = await startSandboxSlack();
  api = await startFaultyApi(() => sandbox.apiUrl);
});
afterEach(async () => {
  api.close();
  await sandbox.close();
});

function groupsOf(...groups: string[]) {
  return groupsWithin(500, ...groups);
}

/** With a time limit of the single call. */
function groupsWithin(timeoutMs: number, ...groups: string[]) {
  const log = pino({ level: "silent" });
  const client = createClient({ botToken: sandbox.botToken, apiUrl: api.apiUrl, timeoutMs, log });
  return createGroups(client, { groups, now: () => now, log, onEvent: (name) => void events.push(name) });
}

const asked = (): number => api.calls.filter((method) => method === "usergroups.users.list").length;

test("A person is in the groups that Slack says, of those that the access section names", async () => {
  const groups = groupsOf(onCall, platform);
  expect(await groups.of("U0CAROL")).toEqual([onCall]);
  expect(await groups.of("U0BOB")).toEqual([platform]);
  expect(await groups.of("U0ALICE")).toEqual([]);
  expect(asked()).toBe(2);
});

test("Who must not be ended by a no asks so that a Slack that does not answer is none", async () => {
  expect(await groupsOf(onCall, platform).sure("U0CAROL")).toEqual([onCall]);
  await expect(groupsOf("slack-group:T0ACME/S0NONE").sure("U0CAROL")).rejects.toThrow("did not say");
});

test("Where the access section names no group, Slack is not asked", async () => {
  expect(await groupsOf().of("U0CAROL")).toEqual([]);
  expect(asked()).toBe(0);
});

test("Many who ask at once are one call of each group", async () => {
  const groups = groupsOf(onCall, platform);
  await Promise.all(Array.from({ length: 50 }, () => groups.of("U0CAROL")));
  expect(asked()).toBe(2);
});

test("An answer holds for a minute, and who has left is out after that", async () => {
  const groups = groupsOf(onCall);
  await groups.of("U0CAROL");
  sandbox.setGroup("S0ONCALL", []);
  now += 59_999;
  expect(await groups.of("U0CAROL")).toEqual([onCall]);
  now += 1;
  expect(await groups.of("U0CAROL")).toEqual([]);
});

test.each([
  ["a disabled group", "slack-group:T0ACME/S0OLD", "paid"],
  ["a group that is not there", "slack-group:T0ACME/S0NONE", "paid"],
  ["a workspace without user groups", onCall, "free"],
] as const)("Nobody is in %s, and a metric says so", async (_, group, plan) => {
  sandbox.setPlan(plan);
  expect(await groupsOf(group).of("U0CAROL")).toEqual([]);
  expect(events).toEqual(["group-unknown"]);
});

test("No answer is a no for ten seconds, and an answer that is too old does not stand in for it", async () => {
  const groups = groupsOf(onCall);
  expect(await groups.of("U0CAROL")).toEqual([onCall]);
  now += 60_000;
  api.break("usergroups.users.list", { kind: "hang" }, 1);
  expect(await groups.of("U0CAROL")).toEqual([]);
  expect(events).toEqual(["group-unknown"]);
  now += 9_999;
  expect(await groups.of("U0CAROL")).toEqual([]);
  expect(asked()).toBe(2);
  now += 1;
  expect(await groups.of("U0CAROL")).toEqual([onCall]);
});

test("Groups that do not answer are waited for together, and not as long as a call may take", async () => {
  const groups = groupsOf(...Array.from({ length: 19 }, (_, at) => `slack-group:T0ACME/S${at}`), onCall);
  api.break("usergroups.users.list", { kind: "hang" }, 99);
  const found = groups.of("U0CAROL");
  await waitFor(() => asked() === 20);
  expect(await found).toEqual([]);
});

test("A call that hangs is not waited for to its end", async () => {
  api.break("usergroups.users.list", { kind: "hang" }, 1);
  const late = Promise.withResolvers<never>();
  const hung = setTimeout(() => late.reject(new Error("waited for the call")), 10_000);
  expect(await Promise.race([groupsWithin(60_000, onCall).of("U0CAROL"), late.promise])).toEqual([]);
  clearTimeout(hung);
});

test("A group that is not answered about keeps no other from counting", async () => {
  api.break("usergroups.users.list", { kind: "answer", status: 503, body: "no" }, 1);
  expect(await groupsOf("slack-group:T0ACME/S0NONE", onCall).of("U0CAROL")).toEqual([onCall]);
});

test("While a rate limit lasts, no group is asked about, whichever met it", async () => {
  const groups = groupsOf(onCall, platform);
  const busy = { kind: "answer", status: 429, body: "{}", retryAfter: 55 } as const;
  api.break("usergroups.users.list", { kind: "answer", status: 503, body: "no" }, 1);
  await groups.of("U0CAROL");
  now += 10_000;
  api.break("usergroups.users.list", busy, 1);
  await groups.of("U0CAROL");
  expect(asked()).toBe(3);
  now += 54_999;
  expect(await groups.of("U0CAROL")).toEqual([]);
  expect(await groups.of("U0BOB")).toEqual([]);
  expect(asked()).toBe(3);
  now += 10_000;
  expect(await groups.of("U0CAROL")).toEqual([onCall]);
  expect(await groups.of("U0BOB")).toEqual([platform]);
});

test("A command comes with the groups of who typed it", async () => {
  const edge: Edge = await startEdge({ groups: [onCall, platform] });
  await edge.sandbox.command({ user: "U0CAROL", channel: "C0INCIDENT", text: "status" });
  await waitFor(() => edge.requests.length === 1);
  expect(edge.requests[0]!.principal).toMatchObject({ user: "U0CAROL", groups: [onCall] });
  await edge.close();
});
