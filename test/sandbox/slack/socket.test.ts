import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type SandboxSlack, startSandboxSlack } from "../../../src/sandbox/slack/server.ts";
import { waitFor } from "../../wait.ts";
import { connectBolt } from "./bolt.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(): Promise<SandboxSlack> {
  const slack = await startSandboxSlack({ ackLimitMs: 200 });
  closing.push(slack.close);
  return slack;
}

async function openConnection(slack: SandboxSlack, token = slack.appToken): Promise<{ ok: boolean; url?: string }> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${slack.apiUrl}apps.connections.open`, { method: "POST", headers });
  return (await response.json()) as { ok: boolean; url?: string };
}

test("Only the app token opens a connection, and each address serves once", async () => {
  const slack = await start();
  expect(await openConnection(slack, slack.botToken)).toEqual({ ok: false, error: "not_allowed_token_type" });
  expect(await openConnection(slack, "xapp-wrong")).toEqual({ ok: false, error: "invalid_auth" });
  const { url } = await openConnection(slack);
  const socket = new WebSocket(url!);
  const hello = await new Promise((resolve) =>
    socket.once("message", (data: Buffer) => resolve(JSON.parse(data.toString()))),
  );
  expect(hello).toMatchObject({ type: "hello", num_connections: 1 });
  const second = new WebSocket(url!);
  const error = await new Promise<Error>((resolve) => second.once("error", resolve));
  expect(error.message).toContain("401");
});

test("An eleventh connection is told that there are too many", async () => {
  const slack = await start();
  const firstMessage = async () => {
    const socket = new WebSocket((await openConnection(slack)).url!);
    return new Promise((resolve) => socket.once("message", (data: Buffer) => resolve(JSON.parse(data.toString()))));
  };
  for (let at = 0; at < 10; at += 1) expect(await firstMessage()).toMatchObject({ type: "hello" });
  expect(await firstMessage()).toMatchObject({ type: "disconnect", reason: "too_many_websockets" });
  expect(slack.connections()).toBe(10);
});

test("Without a connection the user is told at once that the dispatch failed", async () => {
  const slack = await start();
  const delivery = await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "" });
  expect(delivery.acknowledgement).toEqual({ kind: "no-connection" });
  expect(delivery.shown?.text).toContain("dispatch_failed");
});

test("A delivery under way when the sandbox closes does not hold it up", async () => {
  const { slack, close } = await connectBolt((app) => app.command("/other", ({ ack }) => ack()));
  const delivery = slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "" });
  const before = performance.now();
  await close();
  expect((await delivery).acknowledgement).toEqual({ kind: "timed-out" });
  expect(performance.now() - before).toBeLessThan(2_000);
});

test("With two connections, commands are acknowledged while one of them is renewed", async () => {
  const { slack, close } = await connectBolt((app) => app.command("/np", ({ ack }) => ack("here")), { receivers: 2 });
  closing.push(close);
  expect(slack.connections()).toBe(2);
  slack.disconnect("refresh_requested", 0);
  const deliveries = await Promise.all(
    Array.from({ length: 20 }, () => slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "" })),
  );
  expect(deliveries.map(({ acknowledgement }) => acknowledgement.kind)).toEqual(Array(20).fill("acknowledged"));
  await waitFor(() => slack.connections() === 1);
  await waitFor(() => slack.connections() === 2);
});

test("A broken connection comes back", async () => {
  const { slack, close } = await connectBolt((app) => app.command("/np", ({ ack }) => ack("here")));
  closing.push(close);
  slack.drop();
  await waitFor(() => slack.connections() === 0);
  await waitFor(() => slack.connections() === 1);
  expect((await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: "" })).shown?.text).toBe("here");
});

test("Each payload goes to one connection, and all connections get some", async () => {
  const { slack, close } = await connectBolt((app) => app.command("/np", ({ ack }) => ack()), { receivers: 2 });
  closing.push(close);
  const seen = new Set<string>();
  const socket = new WebSocket((await openConnection(slack)).url!);
  socket.on("message", (data: Buffer) => {
    const { envelope_id: id } = JSON.parse(data.toString());
    if (id === undefined) return;
    seen.add(id);
    socket.send(JSON.stringify({ envelope_id: id }));
  });
  await waitFor(() => slack.connections() === 3);
  for (let at = 0; at < 6; at += 1) await slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: `${at}` });
  expect(seen.size).toBe(2);
});
