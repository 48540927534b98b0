import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAuditLog } from "../../src/audit/log.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { waitFor } from "../wait.ts";
import { type Listening, listen, wordsOf } from "./answers.ts";
import { type Arena, startArena } from "./arena.ts";
import { type BadInput, impossible, unreadable, unwelcome } from "./bad-input.ts";

/** Everything that people can get wrong, against the real bot: a clear answer each, and not one write. */
let arena: Arena;
let listening: Listening;
let answered = 0;

beforeAll(async () => {
  arena = await startArena({ objects: targets() });
  await (await arena.addReplica()).start();
});
beforeEach(() => {
  listening = listen(arena.slack);
});
afterEach(() => listening.stop());
afterAll(async () => {
  await arena?.close();
  process.stdout.write(`${answered} kinds of bad input were answered by the running bot\n`);
});

function targets(): object[] {
  const namespaces = ["payments", "bulkhead"].map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  }));
  const pod = (name: string, more: { metadata?: object; spec?: object; status?: object; namespace?: string } = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: more.namespace ?? "payments", labels: { app: name }, ...more.metadata },
    spec: { containers: [{ name: "main", image: "x" }], ...more.spec },
    ...(more.status === undefined ? {} : { status: more.status }),
  });
  return [
    ...namespaces,
    pod("worker-1"),
    pod("worker-2"),
    pod("on-host", { spec: { hostNetwork: true } }),
    pod("static-pod", { metadata: { annotations: { "kubernetes.io/config.mirror": "abc" } } }),
    pod("finished", { status: { phase: "Succeeded" } }),
    pod("broken", { status: { phase: "Failed" } }),
    pod("marked", { metadata: { labels: { app: "marked", [marks.quarantine]: "q-0000000" } } }),
    pod("coredns", { namespace: "kube-system" }),
    pod("bulkhead", { namespace: "bulkhead" }),
  ];
}

const refusals = async () =>
  (await createAuditLog(arena.redis, { onEntry: () => undefined }).read({})).filter(({ kind }) => kind === "refusal");
/** Refusals of known people, by the metric. */
async function counted(): Promise<number> {
  const metrics = await (await fetch(`${arena.replicas[0]?.bot()?.url}/metrics`)).text();
  const values = [...metrics.matchAll(/^bulkhead_refusals_total\{[^}]*\} (\d+)$/gm)].map(([, value]) => Number(value));
  return values.reduce((sum, value) => sum + value, 0);
}
const written = () => arena.replicas.flatMap(({ kube }) => kube.writes());

/** Does it, and holds that the answer says so, that nothing was written, and that the audit has what it should. */
async function expectAnswered(expected: Omit<BadInput, "what" | "text">, act: () => Promise<unknown>): Promise<void> {
  const before = { refusals: (await refusals()).length, writes: written().length, counted: await counted() };
  await act();
  const answer = await listening.shown(expected.says);
  expect(wordsOf(answer)).toMatch(expected.next);
  expectHarmless(answer);
  if (expected.audited === true) await waitFor(async () => (await refusals()).length === before.refusals + 1);
  if (expected.audited === "sampled") expect(await counted()).toBe(before.counted + 1);
  else expect(await refusals()).toHaveLength(before.refusals + (expected.audited === true ? 1 : 0));
  expect(written().slice(before.writes)).toEqual([]);
  answered += 1;
}

/** No answer may mention, format or hide anything: `text` is mrkdwn, blocks are plain or rich text. */
function expectHarmless({ text, blocks }: Message): void {
  expect(text).not.toMatch(/<[!@#]/);
  expect(JSON.stringify(blocks)).not.toMatch(/"type":"mrkdwn"/);
  expect(text + JSON.stringify(blocks)).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]/);
}

const typed = ({ text, user = "U0ALICE", channel = "C0INCIDENT" }: BadInput) =>
  arena.slack.command({ user, channel, text });

describe("bad input: what is typed", () => {
  test.each([...unreadable, ...impossible, ...unwelcome].map((one) => [one.what, one] as const))(
    "%s is answered, and nothing is written",
    (_, one) => expectAnswered(one, () => typed(one)),
  );
});

describe("bad input: what is pressed", () => {
  /** Cards of alice: one with a plan, one that was cancelled. */
  let plan: Message;
  let cancelled: Message;
  const press = (message: Message, button: string, user = "U0ALICE") => arena.slack.press({ user, message, button });
  const planFor = async (pod: string): Promise<Message> => {
    await arena.slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: `quarantine payments/${pod}` });
    return arena.slack.waitForMessage(({ text }) => text.includes(`Plan: quarantine payments/${pod}`), 10_000);
  };
  /** The same message as a client that was tampered with would send it. */
  const forged = (message: Message, from: RegExp, to: string): Message => ({
    ...message,
    blocks: JSON.parse(JSON.stringify(message.blocks).replaceAll(new RegExp(from, "g"), to)) as Message["blocks"],
  });
  const unknown = { says: /This button does nothing for you/, next: /\/np status/, audited: true };
  const mayNot = { says: /Refused/, next: /\/np whoami/, audited: true };

  beforeAll(async () => {
    [plan, cancelled] = [await planFor("worker-1"), await planFor("worker-2")];
    await press(cancelled, "np:cancel");
    await waitFor(() => arena.slack.current(cancelled)?.text.includes("Cancelled"));
  });

  const id = /"q-[0-9a-z]{7}"/;
  test.each([
    ["with an id that nobody has", () => press(forged(plan, id, '"q-0000000"'), "np:confirm"), unknown],
    ["with an id of 1 900 characters", () => press(forged(plan, id, `"${"q".repeat(1_900)}"`), "np:confirm"), unknown],
    ["with no id", () => press(forged(plan, id, '""'), "np:confirm"), unknown],
    ["with the id of another card's operation", () => press(forged(plan, id, idOf(cancelled)), "np:confirm"), unknown],
    ["on another message", () => press({ ...plan, ts: cancelled.ts }, "np:confirm"), unknown],
    ["in another channel", () => press({ ...plan, channel: "C0PRIVATE" }, "np:confirm"), unknown],
    ["of an action that there is not", () => press(forged(plan, /np:confirm"/, 'np:explode"'), "np:explode"), unknown],
    ["called constructor", () => press(forged(plan, /np:confirm"/, 'np:constructor"'), "np:constructor"), unknown],
    [
      "of a state that it is not in",
      () => press(forged(plan, /np:confirm"/, 'np:release"'), "np:release"),
      { says: /It is past that already/, next: /Plan: quarantine/ },
    ],
    [
      "after the operation was cancelled",
      () => press(cancelled, "np:confirm"),
      { says: /It is past that already/, next: /Cancelled/ },
    ],
    ["by somebody who may only look", () => press(plan, "np:confirm", "U0BOB"), mayNot],
    ["by somebody without any right", () => press(plan, "np:cancel", "U0CAROL"), unknown],
    [
      "by a guest",
      () => press(plan, "np:confirm", "U0GUEST"),
      { says: /guest account/, next: /Ask somebody of the team/, audited: "sampled" },
    ],
    [
      "by somebody of another workspace",
      () => press(plan, "np:confirm", "U0FOREIGN"),
      { says: /Not available to you/, next: /members of its own workspace/ },
    ],
  ] as const)("a button %s is answered, and nothing is written", (_, act, expected) => expectAnswered(expected, act));

  function idOf(message: Message): string {
    return id.exec(JSON.stringify(message.blocks))?.[0] ?? "";
  }
});

describe("bad input: what is filled in", () => {
  const alice = { user: "U0ALICE" };
  const open = async (): Promise<void> => {
    await arena.slack.command({ ...alice, channel: "C0INCIDENT", text: "quarantine" });
    await arena.slack.waitForView("U0ALICE");
    for (const [field, option] of [
      ["namespace", "payments"],
      ["pod", "worker-1"],
    ] as const) {
      await arena.slack.search({ ...alice, field, query: "" });
      await arena.slack.pick({ ...alice, field, option });
    }
  };

  test.each([
    ["a review time in words", "review", "soon", /time such as 2h or 30m/],
    ["a review time of zero", "review", "0m", /time such as 2h or 30m/],
    ["a review time beyond a year", "review", "9999d", /time such as 2h or 30m/],
    ["a reason of 600 characters", "reason", "x".repeat(600), /500/],
  ] as const)("%s is said under its field, and nothing is written", async (_, field, text, said) => {
    const before = written().length;
    await open();
    await arena.slack.fill({ ...alice, field, text });
    const { errors, problem } = await arena.slack.submit(alice);
    expect(problem ?? Object.values(errors ?? {}).join()).toMatch(said);
    expect(written().slice(before)).toEqual([]);
    await arena.slack.closeView(alice);
    answered += 1;
  });

  test("a form that lacks its pod cannot be sent, and nothing is written", async () => {
    const before = written().length;
    await arena.slack.command({ ...alice, channel: "C0INCIDENT", text: "quarantine" });
    await arena.slack.waitForView("U0ALICE");
    const { errors, problem } = await arena.slack.submit(alice);
    expect(problem ?? Object.keys(errors ?? {}).join()).toMatch(/namespace|pod/);
    expect(written().slice(before)).toEqual([]);
    await arena.slack.closeView(alice);
    answered += 1;
  });

  test("who has no right is offered no pod, and the form shows nothing of what there is", async () => {
    const carol = { user: "U0CAROL" };
    await arena.slack.command({ ...carol, channel: "C0INCIDENT", text: "quarantine" });
    const view = await arena.slack.waitForView("U0CAROL").catch(() => undefined);
    const found =
      view === undefined ? undefined : await arena.slack.search({ ...carol, field: "namespace", query: "" });
    expect(JSON.stringify(found ?? {})).not.toMatch(/payments/);
    answered += 1;
  });
});

test("Calls of nobody of ours are counted and logged, and their text is not kept", async () => {
  const bot = arena.replicas[0]!.bot()!;
  const metrics = await (await fetch(`${bot.url}/metrics`)).text();
  expect(Number(/bulkhead_slack_events_total\{event="foreign"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(3);
  const warnings = bot.lines.filter((line) => line.includes("a foreign caller was refused"));
  expect(warnings.length).toBeGreaterThan(0);
  expect(warnings.join("\n")).not.toContain("worker-1");
});
