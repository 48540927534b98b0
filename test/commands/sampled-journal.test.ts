import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChainedEntry } from "../../src/audit/entry.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { bob, startDesk, type TestDesk } from "./desk.ts";

let desk: TestDesk;
beforeEach(async () => {
  desk = await startDesk();
});
afterEach(() => desk.close());

const gina: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "UGUEST", displayName: "gina" };
const uma: Principal = { ...gina, user: "UULTRA" };
const guest = "You are signed in to Slack as a guest account";

async function entries(kind: string): Promise<readonly ChainedEntry[]> {
  const all = await desk.services.audit.read({});
  return all.filter((entry) => entry.kind === kind);
}

const turnAway = (who = gina, why = guest) => desk.desk.turnAway(desk.request("quarantine a/b", who), why, desk.outlet);

test("A guest who types a thousand times is answered a thousand times and written twice", async () => {
  for (let at = 0; at < 1_000; at += 1) await turnAway();
  expect(desk.shown).toHaveLength(1_000);
  expect(await entries("refusal")).toHaveLength(1);
  expect(desk.events.filter(({ kind }) => kind === "refusal")).toHaveLength(1_000);
  desk.pass(60_000);
  await desk.desk.flush(false);
  const [first, second, ...more] = await entries("refusal");
  expect(more).toEqual([]);
  expect(first).toMatchObject({ actor: { user: "UGUEST" }, verb: "command", summary: `refused: ${guest}` });
  expect(second?.summary).toBe(`refused: ${guest} (and 998 more like it since the entry before)`);
});

test("Another person, and another reason, is written at once", async () => {
  await turnAway();
  await turnAway(uma);
  await turnAway(gina, "This channel is shared with another organisation.");
  expect(await entries("refusal")).toHaveLength(3);
});

test("Forged calls are one entry a minute of each kind, with their number", async () => {
  for (let at = 0; at < 50; at += 1) await desk.desk.alarm({ kind: "forged", from: undefined });
  await desk.desk.alarm({ kind: "foreign", from: "slack:T9/U9" });
  expect((await entries("forgery")).map(({ verb, summary }) => [verb, summary])).toEqual([
    ["forged", "refused a call with a signature that is not Slack's"],
    ["foreign", "refused a call by somebody of another organisation: slack:T9/U9"],
  ]);
  desk.pass(60_000);
  await desk.desk.alarm({ kind: "forged", from: undefined });
  const last = (await entries("forgery")).at(-1);
  expect(last).toMatchObject({ ok: false, actor: { kind: "scheduler" }, detail: { calls: 50 } });
  expect(last?.summary).toContain("50 calls since the entry before");
});

test("Before the end, what was only counted is written, too", async () => {
  await desk.desk.alarm({ kind: "stale", from: undefined });
  desk.pass(1);
  await desk.desk.alarm({ kind: "stale", from: undefined });
  await turnAway();
  await turnAway();
  await desk.desk.flush(true);
  expect([(await entries("forgery")).length, (await entries("refusal")).length]).toEqual([2, 2]);
});

test("A log that is away keeps nobody from being answered, and is metered", async () => {
  desk.redis.disconnect();
  const reply = await turnAway();
  expect(reply.outcome).toBe("refused");
  await desk.desk.alarm({ kind: "forged", from: undefined });
  expect(desk.events).toContainEqual(expect.objectContaining({ kind: "error", where: "audit forgery" }));
});

const noRight = "no rule of the access section lets slack:T1/UGUEST quarantine";

test("A member without any right is answered each time and written once for each reason, typing or pressing", async () => {
  for (let at = 0; at < 50; at += 1) await desk.type("quarantine payments/checkout-1 --incident INC-7", gina);
  for (let at = 0; at < 50; at += 1) await desk.press("confirm", "q-none", { principal: gina });
  expect(desk.shown).toHaveLength(100);
  expect(desk.events.filter(({ kind }) => kind === "refusal")).toHaveLength(100);
  const [typed, pressed, ...more] = await entries("refusal");
  expect(more).toEqual([]);
  expect(typed).toMatchObject({ verb: "quarantine", incident: "INC-7", summary: `refused: ${noRight}` });
  expect(pressed).toMatchObject({ verb: "press", actor: { user: "UGUEST" } });
  desk.pass(60_000);
  await desk.desk.flush(false);
  const told = (await entries("refusal")).map(({ summary }) => summary);
  expect(told.filter((one) => one.includes("(and 48 more like it since the entry before)"))).toHaveLength(2);
});

test("Refusals of those who have some right are written one by one", async () => {
  for (let at = 0; at < 3; at += 1) await desk.type("quarantine payments/checkout-1", bob);
  for (let at = 0; at < 3; at += 1) await desk.press("confirm", "q-none", { principal: bob });
  expect((await entries("refusal")).map(({ verb }) => verb)).toEqual([
    ...Array<string>(3).fill("quarantine"),
    ...Array<string>(3).fill("press"),
  ]);
});
