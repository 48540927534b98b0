import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Asked, Suggestion } from "../../src/commands/form.ts";
import type { Submission } from "../../src/sandbox/slack/submissions.ts";
import { waitFor } from "../wait.ts";
import { type Edge, type EdgeOptions, memoryShelf, show, startEdge } from "./edge.ts";
import { type FaultyApi, startFaultyApi } from "./faulty-api.ts";
import { card, note } from "./replies.ts";

let edge: Edge;
let asked: Asked[];
let offered: readonly Suggestion[];

beforeEach(async () => {
  asked = [];
  offered = [
    { label: "payments", value: "payments" },
    { label: "checkout-7d9f", value: "checkout-7d9f" },
  ];
  edge = await start();
});
afterEach(() => edge.close());

function start(options: EdgeOptions = {}): Promise<Edge> {
  return startEdge({
    suggest: async (wanted) => {
      asked.push(wanted);
      return offered;
    },
    ...options,
  });
}

const alice = { user: "U0ALICE" };
const typed = { ...alice, channel: "C0INCIDENT", text: "quarantine" };
const direct = "D0ALICE";

/** Opens the form and fills in what it needs. */
async function filled(channel = "C0INCIDENT"): Promise<void> {
  await edge.sandbox.command({ ...typed, channel });
  await edge.sandbox.waitForView("U0ALICE");
  await fill();
}

async function fill(): Promise<void> {
  for (const [field, option] of [
    ["namespace", "payments"],
    ["pod", "checkout-7d9f"],
  ] as const) {
    await edge.sandbox.search({ ...alice, field, query: "" });
    await edge.sandbox.pick({ ...alice, field, option });
  }
}

const submit = (): Promise<Submission> => edge.sandbox.submit(alice);
const texts = (channel: string): string[] => edge.sandbox.messages(channel).map(({ text }) => text);

describe("opening", () => {
  test("A command without a pod is acknowledged and opens the form, which carries nothing but an id", async () => {
    const { acknowledgement } = await edge.sandbox.command(typed);
    expect(acknowledgement.kind).toBe("acknowledged");
    const { content } = await edge.sandbox.waitForView("U0ALICE");
    expect(content.private_metadata).toMatch(/^[0-9a-f-]{36}$/);
    expect(content.blocks.map(({ block_id }) => block_id)).toEqual(["namespace", "pod", "review", "reason", "run"]);
    await edge.slack.drain(2_000);
    expect(edge.requests).toEqual([]);
    expect(edge.events).toContain("form");
  });

  test("Where there are several clusters it asks for one, first", async () => {
    await edge.close();
    edge = await start({ askCluster: true });
    await edge.sandbox.command(typed);
    const { content } = await edge.sandbox.waitForView("U0ALICE");
    expect(content.blocks[0]!.block_id).toBe("cluster");
  });

  test("It opens before anybody was asked who it is", async () => {
    await edge.close();
    let api: FaultyApi | undefined;
    edge = await start({
      apiUrl: async (sandbox) => {
        api = await startFaultyApi(() => sandbox.apiUrl);
        return api.apiUrl;
      },
    });
    api!.break("users.info", { kind: "hang" }, 9);
    api!.break("conversations.info", { kind: "hang" }, 9);
    await edge.sandbox.command(typed);
    await edge.sandbox.waitForView("U0ALICE");
    api!.close();
  });

  test("Two deliveries of one command are one form", async () => {
    const delivery = await edge.sandbox.command(typed);
    await edge.sandbox.waitForView("U0ALICE");
    await edge.sandbox.deliverAgain(delivery, 2);
    await edge.slack.drain(2_000);
    expect(edge.events.filter((name) => name === "form")).toHaveLength(1);
    expect(edge.requests).toEqual([]);
  });

  test("Where it cannot be opened the command runs, and says what it lacks", async () => {
    const delivery = await edge.sandbox.command({ ...typed, text: "status" });
    await waitFor(() => edge.requests.length === 1);
    const payload = { ...delivery.envelope.payload, text: "quarantine", trigger_id: "1.expired" };
    await edge.sandbox.deliverAgain({ ...delivery, envelope: { ...delivery.envelope, payload } }, 1);
    await waitFor(() => edge.requests.length === 2);
    expect(edge.requests[1]!.text).toBe("quarantine");
    expect(edge.events).toContain("form-failed");
  });

  test("A guest is told no, whatever is on the screen", async () => {
    await edge.sandbox.command({ user: "U0GUEST", channel: "C0INCIDENT", text: "quarantine" });
    await edge.sandbox.waitForMessage(({ text }) => text.includes("guest account"));
    expect(edge.turnedAway).toHaveLength(1);
  });
});

describe("typing", () => {
  test("The desk is asked for this person, with what stands in the other fields", async () => {
    await edge.close();
    edge = await start({ askCluster: true, groups: ["slack-group:T0ACME/S0ONCALL"] });
    edge.sandbox.setGroup("S0ONCALL", ["U0ALICE"]);
    offered = [{ label: "prod", value: "prod" }];
    await edge.sandbox.command(typed);
    await edge.sandbox.waitForView("U0ALICE");
    const { options } = await edge.sandbox.search({ ...alice, field: "cluster", query: "pr" });
    expect(options).toEqual([{ text: { type: "plain_text", text: "prod", emoji: false }, value: "prod" }]);
    await edge.sandbox.pick({ ...alice, field: "cluster", option: "prod" });
    await edge.sandbox.search({ ...alice, field: "namespace", query: "pay" });
    const principal = { kind: "slack", team: "T0ACME", user: "U0ALICE", groups: ["slack-group:T0ACME/S0ONCALL"] };
    expect(asked).toMatchObject([
      { kind: "quarantine", field: "cluster", typed: "pr", fields: { cluster: "", namespace: "" }, principal },
      { kind: "quarantine", field: "namespace", typed: "pay", fields: { cluster: "prod", namespace: "" }, principal },
    ]);
  });

  test.each(["U0GUEST", "U0DEPLOY", "U0FOREIGN", "U0STRANGER", "U0GONE"])("%s is offered nothing", async (user) => {
    await edge.sandbox.command({ user, channel: "C0INCIDENT", text: "quarantine" });
    await edge.sandbox.waitForView(user);
    const { options, problem } = await edge.sandbox.search({ user, field: "namespace", query: "" });
    expect([options, problem, asked]).toEqual([[], undefined, []]);
  });

  test("A desk that takes too long is not waited for", async () => {
    await edge.close();
    const never = new Promise<never>(() => undefined);
    edge = await start({ suggest: () => never, form: async ({ text }) => (text === "slow" ? never : undefined) });
    await edge.sandbox.command({ ...typed, text: "slow" });
    await edge.sandbox.command(typed);
    await edge.sandbox.waitForView("U0ALICE");
    const { options, problem } = await edge.sandbox.search({ ...alice, field: "namespace", query: "" });
    expect([options, problem]).toEqual([[], undefined]);
    await waitFor(() => edge.requests.length === 1);
    expect(edge.requests[0]?.text, "the command runs instead").toBe("slow");
  });

  test("Hostile names are within Slack's limits, and nothing in them acts", async () => {
    offered = [{ label: `\u202E${"<!channel>*".repeat(20)}`, value: "x" }];
    await edge.sandbox.command(typed);
    await edge.sandbox.waitForView("U0ALICE");
    const { options, problem } = await edge.sandbox.search({ ...alice, field: "namespace", query: "" });
    expect(problem).toBeUndefined();
    expect(options[0]!.text.type).toBe("plain_text");
    expect(options[0]!.text.text).not.toContain("\u202E");
  });
});

describe("sending", () => {
  test("A form is a request like a typed one, in the channel where it was asked for", async () => {
    await filled();
    await edge.sandbox.fill({ ...alice, field: "reason", text: "odd traffic" });
    const { problem, errors, view } = await submit();
    expect([problem, errors, view]).toEqual([undefined, {}, undefined]);
    await waitFor(() => edge.requests.length === 1);
    expect(edge.requests[0]).toMatchObject({
      text: "quarantine payments/checkout-7d9f",
      source: "slack",
      channel: "C0INCIDENT",
      principal: { team: "T0ACME", user: "U0ALICE", displayName: "Alice" },
      delivery: expect.stringMatching(/^slack:T0ACME:view:V0/),
    });
    await waitFor(() => texts("C0INCIDENT").length === 1);
  });

  test("What was filled in reaches the desk as it is", async () => {
    await edge.close();
    const forms: unknown[] = [];
    edge = await start({
      formText: async (form) => {
        forms.push(form);
        return "quarantine a/b";
      },
    });
    await filled();
    await edge.sandbox.fill({ ...alice, field: "review", text: "2h" });
    await edge.sandbox.fill({ ...alice, field: "reason", text: 'say "x" & <y>' });
    await edge.sandbox.tick({ ...alice, field: "run", options: ["dry-run"] });
    await submit();
    const target = { namespace: "payments", pod: "checkout-7d9f" };
    const fields = { ...target, review: "2h", reason: 'say "x" & <y>', run: "dry-run" };
    expect(forms).toEqual([{ kind: "quarantine", command: undefined, fields }]);
  });

  test("The desk can ask who sent it, in their groups, and who is no person of ours is nobody (invariant 7)", async () => {
    await edge.close();
    const senders: unknown[] = [];
    edge = await start({
      groups: ["slack-group:T0ACME/S0ONCALL"],
      formText: async (_, who) => {
        senders.push(await who());
        return { pod: "Search again." };
      },
    });
    edge.sandbox.setGroup("S0ONCALL", ["U0ALICE"]);
    await filled();
    const { delivery } = await submit();
    const { payload } = delivery!.envelope;
    const user = { id: "U0GUEST", team_id: "T0ACME" };
    await edge.sandbox.deliverAgain(
      { ...delivery!, envelope: { ...delivery!.envelope, payload: { ...payload, user } } },
      1,
    );
    await waitFor(() => senders.length === 2);
    expect(senders).toEqual([
      expect.objectContaining({ user: "U0ALICE", groups: ["slack-group:T0ACME/S0ONCALL"] }),
      undefined,
    ]);
  });

  test("What is wrong is said under its field, and the form stays open", async () => {
    await edge.close();
    edge = await start({ formText: () => Promise.resolve({ review: "review needs a time such as 2h or 30m." }) });
    await filled();
    const { errors, view, problem } = await submit();
    expect(problem).toBeUndefined();
    expect(errors).toEqual({ review: "review needs a time such as 2h or 30m." });
    expect(view).toBeDefined();
    expect(edge.requests).toEqual([]);
  });

  test("One form is one delivery, however often it arrives", async () => {
    await filled();
    const { delivery } = await submit();
    await edge.sandbox.deliverAgain(delivery!, 2);
    await waitFor(() => edge.requests.length === 3);
    expect(new Set(edge.requests.map((request) => request.delivery)).size).toBe(1);
  });

  test.each([
    ["where the bot is not in the channel", "C0RANDOM"],
    ["where the bot cannot see the channel", "C0SECRET"],
  ])("%s, the card is written to the person", async (_, channel) => {
    edge.sandbox.setMembers("C0SECRET", ["U0ALICE"]);
    await filled(channel);
    await submit();
    await waitFor(() => texts(direct).length === 1);
    expect(texts(channel)).toEqual([]);
    expect(edge.requests[0]).toMatchObject({ channel });
  });

  test("Where it is not known any more where it came from, the card is written to the person", async () => {
    await edge.close();
    edge = await start({ shelf: { ...memoryShelf(Date.now), put: () => Promise.reject(new Error("away")) } });
    await filled();
    await submit();
    await waitFor(() => texts(direct).length === 1);
    expect(edge.requests[0]!.channel).toBeUndefined();
  });

  test("The id of somebody else's form leads nowhere: the answer goes to who sent it", async () => {
    const shelf = memoryShelf(Date.now);
    await edge.close();
    edge = await start({ shelf });
    await edge.sandbox.command({ user: "U0BOB", channel: "C0PRIVATE", text: "quarantine" });
    const { content } = await edge.sandbox.waitForView("U0BOB");
    await filled();
    const view = { ...edge.sandbox.view("U0ALICE")! };
    const { delivery } = await submit();
    await waitFor(() => edge.requests.length === 1);
    const { payload } = delivery!.envelope;
    const forged = {
      ...payload,
      view: { ...(payload["view"] as object), id: `${view.id}X`, private_metadata: content.private_metadata },
    };
    await edge.sandbox.deliverAgain({ ...delivery!, envelope: { ...delivery!.envelope, payload: forged } }, 1);
    await waitFor(() => edge.requests.length === 2);
    expect(edge.requests[1]!.channel).toBeUndefined();
    expect(texts("C0PRIVATE")).toEqual([]);
  });

  test("A note is whispered where it was asked for, and written where that cannot be", async () => {
    edge.does(show(note("Refused: no right")));
    await filled();
    await submit();
    await waitFor(() => edge.sandbox.ephemerals("U0ALICE").some(({ text }) => text.includes("no right")));
    await filled("C0RANDOM");
    await submit();
    await waitFor(() => texts(direct).length === 1);
  });

  test("Who has become a guest since it opened is turned away, by a direct message", async () => {
    await edge.sandbox.command({ user: "U0GUEST", channel: "C0INCIDENT", text: "quarantine" });
    const view = await edge.sandbox.waitForView("U0GUEST");
    await filled();
    const { delivery } = await submit();
    await waitFor(() => edge.requests.length === 1);
    const user = { id: "U0GUEST", team_id: "T0ACME" };
    const payload = {
      ...delivery!.envelope.payload,
      user,
      view: { ...(delivery!.envelope.payload["view"] as object), id: view.id },
    };
    await edge.sandbox.deliverAgain({ ...delivery!, envelope: { ...delivery!.envelope, payload } }, 1);
    await waitFor(() => texts("D0GUEST").length === 1);
    expect(edge.turnedAway.at(-1)).toMatchObject({ request: { principal: { user: "U0GUEST" } } });
    expect(edge.requests).toHaveLength(1);
  });

  test("A form that is malformed closes and is counted", async () => {
    await filled();
    const { delivery } = await submit();
    await waitFor(() => edge.requests.length === 1);
    const payload = { ...delivery!.envelope.payload, view: { callback_id: "np-form-quarantine", type: "modal" } };
    await edge.sandbox.deliverAgain({ ...delivery!, envelope: { ...delivery!.envelope, payload } }, 1);
    expect(edge.events).toContain("malformed");
    expect(edge.requests).toHaveLength(1);
  });

  test("Over HTTP it is the same", async () => {
    await edge.close();
    edge = await start({ signingSecret: "sandbox-signing-secret" });
    edge.sandbox.http.use(`http://127.0.0.1:${edge.slack.port()}/slack/events`);
    await filled();
    expect((await submit()).view).toBeUndefined();
    await waitFor(() => texts("C0INCIDENT").length === 1);
  });

  test("Drain waits for a form that was sent", async () => {
    const work = Promise.withResolvers<void>();
    edge.does(async (request, outlet) => {
      await work.promise;
      return show(card())(request, outlet);
    });
    await filled();
    await submit();
    await waitFor(() => edge.requests.length === 1);
    await edge.slack.stop();
    expect(await edge.slack.drain(30)).toBe(false);
    work.resolve();
    expect(await edge.slack.drain(5_000)).toBe(true);
  });
});
