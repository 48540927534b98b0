import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { App, HTTPReceiver, LogLevel } from "@slack/bolt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SandboxSlack, startSandboxSlack } from "../../../src/sandbox/slack/server.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;

let slack: SandboxSlack;
let stop: () => Promise<unknown>;
let commands: string[];

/** The real Bolt with its HTTP receiver, as an app in HTTP mode has it. */
beforeEach(async () => {
  slack = await startSandboxSlack({ ackLimitMs: 1_000 });
  commands = [];
  const { signingSecret } = slack;
  const receiver = new HTTPReceiver({ signingSecret, endpoints: "/slack/events", logLevel: LogLevel.ERROR });
  const clientOptions = { slackApiUrl: slack.apiUrl, timeout: 5_000, retryConfig: { retries: 0 } };
  const app = new App({ token: slack.botToken, receiver, clientOptions, convoStore: false, logLevel: LogLevel.ERROR });
  app.command("/np", async ({ ack, command }) => {
    commands.push(command.text);
    await ack(command.text === "json" ? { response_type: "in_channel", text: "heard" } : "understood");
  });
  app.action("yes", ({ ack }) => ack());
  const server = await receiver.start(0);
  slack.http.use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`);
  stop = async () => {
    await receiver.stop();
    await slack.close();
  };
});
afterEach(() => stop());

describe("what goes to the request URL", () => {
  test("A command is signed over its bytes, and its answer is shown", async () => {
    const { acknowledgement, shown } = await slack.command({ ...alice, text: "status <b> & c" });
    expect(acknowledgement).toMatchObject({ kind: "acknowledged", payload: { text: "understood" } });
    expect(shown?.text).toBe("understood");
    expect(commands).toEqual(["status <b> & c"]);
    const [{ headers, body } = { headers: {}, body: "" }] = slack.http.sent;
    const base = `v0:${headers["x-slack-request-timestamp"]}:${body}`;
    const digest = createHmac("sha256", slack.signingSecret).update(base).digest("hex");
    expect(headers).toMatchObject({
      "content-type": "application/x-www-form-urlencoded",
      "x-slack-signature": `v0=${digest}`,
    });
  });

  test("An answer in JSON may be for everybody", async () => {
    await slack.command({ ...alice, text: "json" });
    expect(slack.messages("C0INCIDENT").map(({ text }) => text)).toEqual(["heard"]);
  });

  test("A press arrives as JSON in a form, and back by Socket Mode there is no connection", async () => {
    const button = { type: "button", action_id: "yes", text: { type: "plain_text", text: "Yes" } };
    const headers = { authorization: `Bearer ${slack.botToken}`, "content-type": "application/json" };
    const args = { channel: "C0INCIDENT", text: "sure?", blocks: [{ type: "actions", elements: [button] }] };
    await fetch(`${slack.apiUrl}chat.postMessage`, { method: "POST", headers, body: JSON.stringify(args) });
    const [message] = slack.messages("C0INCIDENT");
    const press = { user: "U0ALICE", message: message!, button: "yes" };
    expect((await slack.press(press)).acknowledgement.kind).toBe("acknowledged");
    slack.http.use(undefined);
    expect((await slack.press(press)).acknowledgement.kind).toBe("no-connection");
  });
});

describe("requests with something wrong", () => {
  const post = async (wrong: Parameters<SandboxSlack["http"]["sign"]>[1]) =>
    (await slack.http.post(slack.http.sign(slack.compose({ ...alice, text: "forged" }), wrong))).status;

  test.for([
    ["a wrong secret", { secret: "guessed" }],
    ["a stale timestamp", { skewMs: -301_000 }],
    ["another timestamp than the signed one", { headers: { "x-slack-request-timestamp": "1700000000" } }],
    ["no signature", { headers: { "x-slack-signature": undefined } }],
  ] as const)("%s is what the app gets", async ([, wrong]) => {
    expect(await post(wrong)).toBe(401);
    expect(commands).toEqual([]);
  });

  test("A future timestamp is signed correctly: whether it is refused is the app's part", async () => {
    expect(await post({ skewMs: 3_600_000 })).toBe(200);
  });

  test("A replay is the same bytes again", async () => {
    await slack.command({ ...alice, text: "once" });
    const [first] = slack.http.sent;
    expect((await slack.http.post(first!)).status).toBe(200);
    expect(slack.http.sent.map(({ body }) => body)).toEqual([first!.body, first!.body]);
  });
});

describe("an app that does not answer as it should", () => {
  const answering = async (status: number | undefined) => {
    const server = createServer((_, response) => {
      if (status !== undefined) response.writeHead(status).end("no");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    slack.http.use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const delivery = await slack.command({ ...alice, text: "" });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return delivery;
  };

  test("Another status than 200 is a failure for the one who typed", async () => {
    const { acknowledgement, shown } = await answering(503);
    expect(acknowledgement).toEqual({ kind: "refused", status: 503, body: "no" });
    expect(shown?.text).toContain("dispatch_failed");
  });

  test("Silence is a timeout, and nobody there a failed dispatch", async () => {
    expect((await answering(undefined)).shown?.text).toContain("operation_timeout");
    expect((await slack.command({ ...alice, text: "" })).shown?.text).toContain("dispatch_failed");
  });
});
