import { createHmac } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Shelf } from "../../src/scheduler/shelf.ts";
import { waitFor } from "../wait.ts";
import { type Edge, memoryShelf, show, startEdge } from "./edge.ts";
import { note } from "./replies.ts";

const secret = "8f742231b10e8888abcd99yyyzzz85a5";
let edge: Edge;
let shelf: Shelf;
let now: number;

beforeEach(async () => {
  now = Date.now();
  shelf = memoryShelf(() => now);
  edge = await startEdge({ signingSecret: secret, now: () => now, shelf });
});
afterEach(() => edge.close());

const form = "application/x-www-form-urlencoded";

type Call = { readonly body: string; readonly headers: Record<string, string> };

/** A call as Slack signs it, `ageMs` old. */
function signed(body: string, { ageMs = 0, key = secret, type = form } = {}): Call {
  const timestamp = String(Math.floor((now - ageMs) / 1_000));
  const signature = `v0=${createHmac("sha256", key).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  return {
    body,
    headers: { "content-type": type, "x-slack-request-timestamp": timestamp, "x-slack-signature": signature },
  };
}

function send({ body, headers }: Call, to = edge): Promise<Response> {
  return fetch(`http://127.0.0.1:${to.slack.port()}/slack/events`, { method: "POST", body, headers });
}

let triggers = 0;
function command(text: string, differing: Record<string, string> = {}): string {
  return new URLSearchParams({
    command: "/np",
    text,
    team_id: "T0ACME",
    user_id: "U0ALICE",
    channel_id: "C0INCIDENT",
    trigger_id: `${(triggers += 1)}.trigger`,
    ...differing,
  }).toString();
}

function submission(): string {
  const view = { id: "V1", type: "modal", callback_id: "np-form-quarantine", state: { values: {} } };
  const payload = { type: "view_submission", team: { id: "T0ACME" }, user: { id: "U0ALICE" }, view };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

function press(action: string, value = "q-7f3kabc"): string {
  const payload = {
    type: "block_actions",
    team: { id: "T0ACME" },
    user: { id: "U0ALICE" },
    container: { channel_id: "C0INCIDENT", message_ts: "1.1" },
    actions: [{ type: "button", action_id: `np:${action}`, block_id: "b", value, action_ts: "1.2" }],
  };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

test("A signed command is acknowledged in the answer, and becomes a request", async () => {
  const answer = await send(signed(command("quarantine a/b")));
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    response_type: "ephemeral",
    text: "Understood: quarantine a/b (q-7f3kabc)",
  });
  await waitFor(() => edge.requests.length === 1);
  expect(edge.requests[0]).toMatchObject({
    text: "quarantine a/b",
    principal: { team: "T0ACME", user: "U0ALICE" },
    delivery: `slack:T0ACME:${triggers}.trigger`,
  });
  expect(edge.acks).toHaveLength(1);
});

test("A signed press becomes a press, and its card is updated", async () => {
  const answer = await send(signed(press("confirm")));
  expect([answer.status, await answer.text()]).toEqual([200, ""]);
  await waitFor(() => edge.presses.length === 1);
  expect(edge.presses[0]).toMatchObject({ action: "confirm", operation: "q-7f3kabc" });
});

test("A press that carries more than a button can is malformed", async () => {
  for (const body of [press("x".repeat(256)), press("confirm", "q".repeat(2_001))]) await send(signed(body));
  await waitFor(() => edge.events.filter((name) => name === "malformed").length === 2);
  await send(signed(press("x".repeat(252), "q".repeat(2_000))));
  await waitFor(() => edge.presses.length === 1);
});

test("It is ready and connected without any socket, and opens none", async () => {
  await edge.slack.ready;
  expect(edge.slack.connected()).toBe(true);
  expect(edge.sandbox.connections()).toBe(0);
});

describe("What is refused before it is read (invariant 7)", () => {
  test.each([
    ["unsigned", () => ({ body: command("x"), headers: { "content-type": form } })],
    ["unsigned", () => withHeader("x-slack-signature", "v1=00")],
    ["unsigned", () => withHeader("x-slack-request-timestamp", "soon")],
    ["forged", () => signed(command("x"), { key: "another secret" })],
    ["forged", () => ({ ...signed(command("x")), body: command("quarantine kube-system/dns") })],
    ["forged", () => withHeader("x-slack-request-timestamp", "1")],
    ["stale", () => signed(command("x"), { ageMs: 301_000 })],
    ["future", () => signed(command("x"), { ageMs: -62_000 })],
    ["future", () => signed(command("x"), { ageMs: -3_600_000 })],
  ] as const)("%s: 401, counted, told to the desk", async (kind, call) => {
    const answer = await send(call());
    expect([answer.status, await answer.text()]).toEqual([401, ""]);
    await waitFor(() => edge.alarms.length === 1);
    expect(edge.alarms).toEqual([{ kind, from: undefined }]);
    expect(edge.events).toContain(kind);
    expect(edge.requests).toEqual([]);
  });

  test("A call that is nearly too old or a little early is taken", async () => {
    await send(signed(command("one"), { ageMs: 298_000 }));
    await send(signed(command("two"), { ageMs: -58_000 }));
    await waitFor(() => edge.requests.length === 2);
    expect(edge.alarms).toEqual([]);
  });

  test("The same bytes again have no effect, on this replica and on another", async () => {
    const other = await startEdge({ signingSecret: secret, now: () => now, shelf });
    const call = signed(press("keep"));
    expect((await send(call)).status).toBe(200);
    await waitFor(() => edge.presses.length === 1);
    expect((await send(call)).status).toBe(200);
    expect((await send(call, other)).status).toBe(200);
    await waitFor(() => other.alarms.length === 1);
    expect([edge.alarms, other.alarms]).toEqual([
      [{ kind: "replayed", from: undefined }],
      [{ kind: "replayed", from: undefined }],
    ]);
    expect([edge.presses.length, other.presses.length]).toEqual([1, 0]);
    await other.close();
  });

  test("While the shared store does not answer, one replica still knows what it has seen", async () => {
    await edge.close();
    const silent: Shelf = { ...shelf, first: () => new Promise(() => undefined) };
    edge = await startEdge({ signingSecret: secret, now: () => now, shelf: silent });
    const call = signed(command("status"));
    expect((await send(call)).status).toBe(200);
    await waitFor(() => edge.requests.length === 1);
    await send(call);
    expect(edge.events).toContain("replayed");
    expect(edge.requests).toHaveLength(1);
  });

  test("A body that is too large is not read, whatever its signature", async () => {
    expect((await send(signed(command("x".repeat(600_000))))).status).toBe(413);
    expect((await send({ body: command("x".repeat(2_000)), headers: { "content-type": form } })).status).toBe(413);
    expect(edge.events).toEqual(expect.arrayContaining(["malformed", "unsigned"]));
    expect(await chunked("x".repeat(5_000))).toBe(413);
    expect(edge.requests).toEqual([]);
  });

  test("Callers of another workspace are refused though Slack signed for them, and told to the desk", async () => {
    await send(signed(command("quarantine a/b", { team_id: "T0OTHER", user_id: "U0FOREIGN" })));
    await waitFor(() => edge.alarms.length === 1);
    expect(edge.alarms).toEqual([{ kind: "foreign", from: "slack:T0OTHER/U0FOREIGN" }]);
    expect([edge.requests, edge.turnedAway]).toEqual([[], []]);
  });

  function withHeader(name: string, value: string): Call {
    const call = signed(command("x"));
    return { ...call, headers: { ...call.headers, [name]: value } };
  }
});

describe("Forms of a call", () => {
  test("A charset after the content type, and capitals in it, do not matter", async () => {
    await send(signed(command("one"), { type: "application/x-www-form-urlencoded; charset=utf-8" }));
    await send(signed(command("two"), { type: "Application/X-WWW-Form-Urlencoded" }));
    await waitFor(() => edge.requests.length === 2);
  });

  test.each([
    ["another content type", "text/plain", () => command("x")],
    ["a payload that is no JSON", form, () => "payload=%7Bnot"],
    ["a payload that is no object", form, () => "payload=%5B%5D"],
    ["JSON that is none", "application/json", () => "{"],
  ])("%s is 400 and counted", async (_, type, body) => {
    expect((await send(signed(body(), { type }))).status).toBe(400);
    expect(edge.events).toContain("malformed");
  });

  test("A check of the certificate is answered, and what is smuggled in with it is never looked at", async () => {
    const smuggled = `ssl_check=1&${press("confirm")}&${command("quarantine a/b")}`.slice(0, 1_000);
    const answers = [
      await send({ body: "ssl_check=1&token=x", headers: { "content-type": form } }),
      await send({ body: smuggled, headers: { "content-type": form } }),
      await send(signed(`ssl_check=1&${command("quarantine a/b")}`)),
      await fetch(`http://127.0.0.1:${edge.slack.port()}/slack/events?ssl_check=1`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await edge.slack.drain(1_000);
    expect([edge.requests, edge.presses, edge.alarms]).toEqual([[], [], []]);
  });

  test("The address for events is confirmed to Slack, and to nobody who cannot sign", async () => {
    const body = JSON.stringify({ type: "url_verification", challenge: "3eZbrw1a", token: "deprecated" });
    const answered = await send(signed(body, { type: "application/json" }));
    expect([answered.status, await answered.json()]).toEqual([200, { challenge: "3eZbrw1a" }]);
    expect((await send({ body, headers: { "content-type": "application/json" } })).status).toBe(401);
  });

  test("Other paths and methods are not there", async () => {
    const base = `http://127.0.0.1:${edge.slack.port()}`;
    expect((await fetch(`${base}/metrics`)).status).toBe(404);
    expect((await fetch(`${base}/slack/events`, { method: "DELETE" })).status).toBe(405);
  });

  test("What this app does not know is acknowledged and counted", async () => {
    expect((await send(signed(command("x", { command: "/other" })))).status).toBe(200);
    expect(edge.events).toContain("unmatched");
  });
});

test("After stop nothing new is taken, and drain waits for what is under way", async () => {
  const work = Promise.withResolvers<void>();
  edge.does(async (request, outlet) => {
    await work.promise;
    return show(note("Finished after all"))(request, outlet);
  });
  await send(signed(command("status")));
  await waitFor(() => edge.requests.length === 1);
  const port = edge.slack.port();
  await edge.slack.stop();
  expect(edge.slack.connected()).toBe(false);
  await expect(fetch(`http://127.0.0.1:${port}/slack/events`)).rejects.toThrow();
  expect(await edge.slack.drain(30)).toBe(false);
  work.resolve();
  expect(await edge.slack.drain(5_000)).toBe(true);
});

test("A form that is being answered at the end is answered, and its connection closes with that", async () => {
  const asked = Promise.withResolvers<void>();
  await edge.close();
  edge = await startEdge({
    signingSecret: secret,
    now: () => now,
    formText: () => {
      asked.resolve();
      return new Promise(() => undefined);
    },
  });
  const answer = send(signed(submission()));
  await asked.promise;
  const stopped = edge.slack.stop();
  expect(edge.slack.connected()).toBe(false);
  expect((await answer).headers.get("connection")).toBe("close");
  expect(await (await answer).json()).toMatchObject({ response_action: "errors" });
  await stopped;
});

test("A load balancer may keep the connection of a genuine call for 75 s; nobody else keeps one", async () => {
  const genuine = await send(signed(command("status")));
  expect([genuine.headers.get("connection"), genuine.headers.get("keep-alive")]).toEqual(["keep-alive", "timeout=75"]);
  const base = `http://127.0.0.1:${edge.slack.port()}`;
  const others = [
    await send(signed(command("x"), { key: "another secret" })),
    await fetch(`${base}/slack/events`),
    await fetch(`${base}/metrics`),
  ];
  expect(others.map(({ headers }) => headers.get("connection"))).toEqual(["close", "close", "close"]);
});

test("Hundreds of connections that say nothing keep no call of Slack's out", async () => {
  const silent = Array.from({ length: 500 }, () => connect(edge.slack.port() ?? 0, "127.0.0.1"));
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  expect((await send(signed(command("status")))).status).toBe(200);
  for (const socket of silent) socket.destroy();
});

test("A port that is taken is said, instead of running without ears", async () => {
  const second = startEdge({ signingSecret: secret, port: edge.slack.port() ?? 0 });
  await expect(second).rejects.toThrow("EADDRINUSE");
});

/** The status of an unsigned call whose length is not said beforehand. */
function chunked(body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: edge.slack.port(), path: "/slack/events", method: "POST" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.write(body);
    request.end();
  });
}
