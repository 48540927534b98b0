import type { App } from "@slack/bolt";
import { afterEach, describe, expect, test } from "vitest";
import type { View } from "../../../src/sandbox/slack/views.ts";
import { type ConnectedBolt, connectBolt, refusal } from "./bolt.ts";

const user = "U0ALICE";
const alice = { user, channel: "C0INCIDENT" } as const;
const plain = (text: string) => ({ type: "plain_text" as const, text });
const option = (name: string) => ({ text: plain(name.toUpperCase()), value: name });

let connected: ConnectedBolt | undefined;
afterEach(async () => {
  await connected?.close();
  connected = undefined;
});

const form = {
  type: "modal" as const,
  callback_id: "quarantine",
  private_metadata: "opaque",
  title: plain("Quarantine"),
  submit: plain("Plan"),
  notify_on_close: true,
  blocks: [
    {
      type: "input" as const,
      block_id: "cluster",
      label: plain("Cluster"),
      dispatch_action: true,
      element: { type: "static_select" as const, action_id: "pick", options: [option("dev"), option("prod")] },
    },
    {
      type: "input" as const,
      block_id: "pod",
      label: plain("Pod"),
      element: { type: "external_select" as const, action_id: "pod", min_query_length: 0 },
    },
    {
      type: "input" as const,
      block_id: "reason",
      label: plain("Reason"),
      optional: true,
      element: { type: "plain_text_input" as const, action_id: "reason", max_length: 10, initial_value: "why" },
    },
  ],
};

type OpenView = Parameters<App["client"]["views"]["open"]>[0]["view"];

/** An app whose command opens the view; `listen` adds what the test needs. */
async function opened(listen: (app: App) => void, view: OpenView = form) {
  connected = await connectBolt((app) => {
    app.command("/np", async ({ ack, command, client }) => {
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view });
    });
    listen(app);
  });
  const { slack, app } = connected;
  await slack.command({ ...alice, text: "quarantine" });
  return { slack, app, view: await slack.waitForView(user) };
}

const suggesting = (app: App) =>
  app.options("pod", ({ ack, options }) => ack({ options: [option(`a-${options.value}`), option("b")] }));

describe("a modal", () => {
  test("Only the one who typed the command sees it, and what is sent holds what was filled in", async () => {
    const submissions: unknown[] = [];
    const { slack, view } = await opened((app) => {
      suggesting(app);
      app.action("pick", ({ ack }) => ack());
      app.view("quarantine", async ({ ack, body, view: sent }) => {
        submissions.push(body);
        expect(sent.private_metadata).toBe("opaque");
        await ack();
      });
    });
    expect(slack.view("U0BOB")).toBeUndefined();
    await slack.pick({ user, field: "cluster", option: "prod" });
    const { options } = await slack.search({ user, field: "pod", query: "x" });
    expect(options.map(({ value }) => value)).toEqual(["a-x", "b"]);
    await slack.pick({ user, field: "pod", option: "a-x" });
    await slack.fill({ user, field: "reason", text: "odd" });
    const { view: after, delivery } = await slack.submit({ user });
    expect(after).toBeUndefined();
    expect(delivery?.acknowledgement.kind).toBe("acknowledged");
    expect(submissions).toMatchObject([
      {
        type: "view_submission",
        user: { id: user, team_id: "T0ACME" },
        team: { id: "T0ACME" },
        trigger_id: expect.any(String),
        view: {
          id: view.id,
          hash: view.hash,
          callback_id: "quarantine",
          state: {
            values: {
              cluster: { pick: { type: "static_select", selected_option: { value: "prod" } } },
              pod: { pod: { type: "external_select", selected_option: { value: "a-x" } } },
              reason: { reason: { type: "plain_text_input", value: "odd" } },
            },
          },
        },
      },
    ]);
  });

  test("The client sends nothing while a required field is empty or a text is too long", async () => {
    const { slack } = await opened((app) => app.action("pick", ({ ack }) => ack()));
    await slack.pick({ user, field: "cluster", option: "dev" });
    await slack.fill({ user, field: "reason", text: "x".repeat(11) });
    const { delivery, errors, view } = await slack.submit({ user });
    expect(delivery).toBeUndefined();
    expect(Object.keys(errors)).toEqual(["pod", "reason"]);
    expect(view).toBeDefined();
  });

  test("A pick in a field with dispatch_action is told at once, with the state of the whole view", async () => {
    const actions: unknown[] = [];
    const { slack } = await opened((app) =>
      app.action("pick", async ({ ack, body }) => {
        await ack();
        actions.push(body);
      }),
    );
    expect(await slack.fill({ user, field: "reason", text: "x" })).toBeUndefined();
    const delivery = await slack.pick({ user, field: "cluster", option: "dev" });
    expect(delivery?.acknowledgement.kind).toBe("acknowledged");
    expect(actions).toMatchObject([
      {
        type: "block_actions",
        container: { type: "view", view_id: slack.view(user)?.id },
        trigger_id: expect.any(String),
        view: { state: { values: { cluster: { pick: { selected_option: { value: "dev" } } } } } },
        actions: [{ type: "static_select", block_id: "cluster", action_id: "pick", selected_option: { value: "dev" } }],
      },
    ]);
    expect(actions[0]).not.toHaveProperty("response_url");
    expect(actions[0]).not.toHaveProperty("channel");
  });

  test("Only what is offered can be picked", async () => {
    const { slack } = await opened(suggesting);
    await expect(slack.pick({ user, field: "cluster", option: "nowhere" })).rejects.toThrow("offers no nowhere");
    await expect(slack.pick({ user, field: "pod", option: "b" })).rejects.toThrow("offers no b");
    await expect(slack.fill({ user, field: "elsewhere", text: "x" })).rejects.toThrow("no plain_text_input elsewhere");
  });

  test.for([
    ["101 options", Array.from({ length: 101 }, (_, at) => option(`p${at}`)), "no more than 100 items allowed"],
    ["a text of 76 characters", [{ text: plain("x".repeat(76)), value: "x" }], "less than 76 characters"],
    ["a value of 76 characters", [{ text: plain("x"), value: "x".repeat(76) }], "less than 76 characters"],
  ] as const)("Of an answer with %s the person sees nothing", async ([, options, problem]) => {
    const { slack } = await opened((app) => app.options("pod", ({ ack }) => ack({ options: [...options] })));
    const found = await slack.search({ user, field: "pod", query: "" });
    expect(found.options).toEqual([]);
    expect(found.problem).toContain(problem);
  });

  test("Two letters ask nobody where no min_query_length is set", async () => {
    const asked: string[] = [];
    const element = { type: "external_select" as const, action_id: "pod" };
    const view = { ...form, blocks: [{ type: "input" as const, block_id: "p", label: plain("Pod"), element }] };
    const { slack } = await opened(
      (app) =>
        app.options("pod", async ({ ack, options }) => {
          asked.push(options.value);
          await ack({ options: [] });
        }),
      view,
    );
    await slack.search({ user, field: "pod", query: "ab" });
    await slack.search({ user, field: "pod", query: "abc" });
    expect(asked).toEqual(["abc"]);
  });

  test("Closing it is told to an app that asked for that", async () => {
    const closed: unknown[] = [];
    const { slack, view } = await opened((app) =>
      app.view({ callback_id: "quarantine", type: "view_closed" }, async ({ ack, body }) => {
        await ack();
        closed.push(body);
      }),
    );
    await slack.closeView({ user });
    expect(closed).toMatchObject([{ type: "view_closed", is_cleared: false, view: { id: view.id } }]);
    expect(slack.view(user)).toBeUndefined();
  });
});

describe("the answer to a submission", () => {
  const simple = (title: string) => ({ type: "modal" as const, title: plain(title), submit: plain("Go"), blocks: [] });
  const submitted = async (answer: object | undefined, view: OpenView = simple("first")) => {
    const { slack } = await opened((app) => app.view(/.*/, ({ ack }) => ack(answer as never)), view);
    return { slack, ...(await slack.submit({ user })) };
  };
  const title = (view: View | undefined) => view?.content.title.text;

  test("errors stand under their fields, and the view stays", async () => {
    const reason = form.blocks[2]!;
    const { errors, view } = await submitted(
      { response_action: "errors", errors: { reason: "too vague" } },
      { ...form, blocks: [reason] },
    );
    expect(errors).toEqual({ reason: "too vague" });
    expect(title(view)).toBe("Quarantine");
  });

  test.for([
    ["errors of a block that is no input", { response_action: "errors", errors: { nowhere: "x" } }],
    ["an action that there is not", { response_action: "explode" }],
    ["an update to a view that Slack refuses", { response_action: "update", view: simple("x".repeat(25)) }],
  ] as const)("%s is trouble for the person", async ([, answer]) => {
    const { problem, view } = await submitted(answer);
    expect(problem).toContain("trouble connecting");
    expect(title(view)).toBe("first");
  });

  test("update replaces the view, push lays one on it, clear closes all", async () => {
    const answers = [
      { response_action: "update", view: simple("second") },
      { response_action: "push", view: simple("third") },
      { response_action: "push", view: simple("fourth") },
      { response_action: "push", view: simple("fifth") },
      { response_action: "clear" },
    ];
    const { slack } = await opened(
      (app) => app.view(/.*/, ({ ack }) => ack(answers.shift() as never)),
      simple("first"),
    );
    const seen: (string | undefined)[] = [];
    const problems: (string | undefined)[] = [];
    for (let at = 0; at < 5; at += 1) {
      const { view, problem } = await slack.submit({ user });
      seen.push(title(view));
      problems.push(problem);
    }
    expect(seen).toEqual(["second", "third", "fourth", "fourth", undefined]);
    expect(problems.filter((one) => one !== undefined)).toEqual([expect.stringContaining("push_limit_reached")]);
  });

  test("No answer within the limit leaves the view open, with Slack's words", async () => {
    connected = await connectBolt(
      (app) =>
        app.command("/np", async ({ ack, command, client }) => {
          await ack();
          await client.views.open({ trigger_id: command.trigger_id, view: simple("first") });
        }),
      { ackLimitMs: 300 },
    );
    const { slack } = connected;
    await slack.command({ ...alice, text: "" });
    await slack.waitForView(user);
    const { problem, view } = await slack.submit({ user });
    expect(problem).toBe("We had some trouble connecting. Try again?");
    expect(title(view)).toBe("first");
  });
});

describe("the views methods", () => {
  const modal = (differing: object = {}) => ({ type: "modal", title: plain("t"), blocks: [], ...differing });
  const section = { type: "section", text: plain("x") };
  const trigger = async () => {
    const { envelope } = await connected!.slack.command({ ...alice, text: "" });
    return String(envelope.payload["trigger_id"]);
  };
  const call = async (method: string, args: Record<string, unknown>) => {
    try {
      const answer = await connected!.app.client.apiCall(method, args);
      return answer as { view?: { id: string; hash: string }; error?: string };
    } catch (error) {
      return (error as { data: { view: undefined; error: string; errors?: string[] } }).data;
    }
  };
  const start = async () => {
    connected = await connectBolt((app) => app.command("/np", ({ ack }) => ack()));
    return connected.slack;
  };

  test.for([
    [
      "a title of 25 characters",
      { title: plain("x".repeat(25)) },
      "less than 25 characters [json-pointer:/view/title/text]",
    ],
    ["private_metadata of 3001 characters", { private_metadata: "x".repeat(3001) }, "/view/private_metadata"],
    ["101 blocks", { blocks: Array(101).fill(section) }, "no more than 100 items allowed"],
    ["an input without submit", { blocks: [form.blocks[2]] }, "submit is required"],
    ["a block for messages only", { blocks: [{ type: "table", rows: [] }] }, "unsupported type"],
    ["two fields of one block_id", { submit: plain("Go"), blocks: [form.blocks[2], form.blocks[2]] }, "already exists"],
    ["an unknown property", { colour: "red" }, "invalid additional property: colour"],
    ["no title", { title: undefined }, "missing required field: title"],
  ] as const)("A view with %s is refused, and the trigger stays good", async ([, differing, expected]) => {
    await start();
    const id = await trigger();
    const refused = await call("views.open", { trigger_id: id, view: modal(differing) });
    expect(refused).toMatchObject({ error: "invalid_arguments" });
    expect(JSON.stringify(refused)).toContain(expected);
    expect(await call("views.open", { trigger_id: id, view: modal() })).toMatchObject({ ok: true });
  });

  test("An update needs the newest hash, and keeps what was typed into a field that stays", async () => {
    const slack = await start();
    const first = { ...form, blocks: [form.blocks[2]] };
    const { view } = await call("views.open", { trigger_id: await trigger(), view: first });
    await slack.fill({ user, field: "reason", text: "typed" });
    const update = { view_id: view?.id, hash: view?.hash, view: { ...first, title: plain("Changed") } };
    expect(await call("views.update", update)).toMatchObject({ ok: true, view: { title: { text: "Changed" } } });
    expect(slack.view(user)?.state["reason"]?.["reason"]).toEqual({ type: "plain_text_input", value: "typed" });
    expect(await call("views.update", update)).toMatchObject({ error: "hash_conflict" });
    expect(await call("views.update", { ...update, view_id: "V0NOWHERE" })).toMatchObject({ error: "not_found" });
  });

  test("Three views lie on each other, not four, and none on nothing", async () => {
    await start();
    const push = async () => (await call("views.push", { trigger_id: await trigger(), view: modal() })).error;
    expect(await push()).toBe("not_found");
    await call("views.open", { trigger_id: await trigger(), view: modal() });
    expect([await push(), await push(), await push()]).toEqual([undefined, undefined, "push_limit_reached"]);
  });

  test("An external_id is there once, and finds its view", async () => {
    await start();
    const view = modal({ external_id: "mine" });
    expect(await call("views.open", { trigger_id: await trigger(), view })).toMatchObject({ ok: true });
    expect(await call("views.open", { trigger_id: await trigger(), view })).toMatchObject({
      error: "duplicate_external_id",
    });
    expect(await call("views.update", { external_id: "mine", view: modal() })).toMatchObject({ ok: true });
  });

  test("A view needs a trigger", async () => {
    await start();
    expect(await refusal(connected!.app.client.apiCall("views.open", { view: modal() }))).toBe("invalid_arguments");
  });
});
