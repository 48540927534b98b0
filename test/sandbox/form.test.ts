import { afterEach, expect, test } from "vitest";
import { actOnForm, showForms } from "../../src/sandbox/form.ts";
import { waitFor } from "../wait.ts";
import { type ConnectedBolt, connectBolt } from "./slack/bolt.ts";

let connected: ConnectedBolt | undefined;
afterEach(async () => {
  await connected?.close();
  connected = undefined;
});

const plain = (text: string) => ({ type: "plain_text" as const, text });
const option = (value: string) => ({ text: plain(`the ${value}`), value });
const input = (id: string, element: object) => ({ type: "input", block_id: id, label: plain(`Which ${id}`), element });
const view = {
  type: "modal",
  title: plain("Quarantine\u001b[2J"),
  submit: plain("Plan"),
  blocks: [
    { type: "section", text: { type: "mrkdwn", text: "*Contain* a pod" } },
    input("cluster", { type: "static_select", action_id: "cluster", options: [option("dev"), option("prod")] }),
    input("pod", { type: "external_select", action_id: "pod", min_query_length: 0 }),
    { ...input("reason", { type: "plain_text_input", action_id: "reason" }), optional: true },
  ],
};

test("A form is printed when it opens, and can be filled in and sent from a terminal", async () => {
  const sent: unknown[] = [];
  connected = await connectBolt((app) => {
    app.command("/np", async ({ ack, command, client }) => {
      await ack();
      await client.apiCall("views.open", { trigger_id: command.trigger_id, view });
    });
    app.options("pod", ({ ack }) => ack({ options: [option("web-1")] }));
    app.view(/.*/, async ({ ack, view: submitted }) => {
      await ack();
      sent.push(submitted.state.values);
    });
  });
  const { slack } = connected;
  let printed = "";
  const stop = showForms({ slack, width: 80, write: (text) => (printed += text) }, () => "U0ALICE");
  await slack.command({ user: "U0BOB", channel: "C0INCIDENT", text: "" });
  await slack.waitForView("U0BOB");
  expect(printed).toBe("");
  await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "" });
  await waitFor(() => printed.includes("[submit] Plan"));
  expect(printed.split("\n").slice(1)).toEqual([
    "┌ Form",
    "│ Quarantine�[2J",
    "│ ══════════════",
    "│ Contain a pod",
    "│ cluster (Which cluster): – [dev | prod]",
    "│ pod (Which pod): –",
    "│ reason (Which reason, optional): –",
    "│ [submit] Plan   [cancel] Cancel",
    "└",
    "",
  ]);
  const type = (line: string) => actOnForm(slack, "U0ALICE", line);
  expect(await type("submit")).toBe(
    "cluster: Please complete this required field.\npod: Please complete this required field.",
  );
  expect(await type("pick cluster nowhere")).toBe("cluster offers no nowhere");
  expect(await type("pick cluster dev")).toBe("");
  expect(await type("search pod w")).toBe("web-1  the web-1");
  expect(await type("pick pod web-1")).toBe("");
  expect(await type("fill reason odd traffic")).toBe("");
  expect(await type("submit")).toBe("");
  expect(sent).toMatchObject([{ reason: { reason: { value: "odd traffic" } } }]);
  expect(printed).toContain("The form is closed");
  expect(await type("constructor")).toBeUndefined();
  stop();
});
