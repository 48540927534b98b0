import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startSandboxSlack } from "../../../src/sandbox/slack/server.ts";
import { waitFor } from "../../wait.ts";
import { type ConnectedBolt, connectBolt } from "./bolt.ts";

const alice = { user: "U0ALICE", channel: "C0INCIDENT" } as const;
let connected: ConnectedBolt | undefined;
afterEach(async () => {
  await connected?.close();
  connected = undefined;
});

test("An event reaches Bolt once it is acknowledged, and is not sent again", async () => {
  const changes: unknown[] = [];
  connected = await connectBolt((app) =>
    app.event("subteam_members_changed", async ({ event }) => void changes.push(event)),
  );
  const event = { type: "subteam_members_changed", subteam_id: "S0ONCALL", added_users: ["U0ALICE"] };
  const deliveries = await connected.slack.event(event);
  expect(deliveries.map(({ acknowledgement }) => acknowledgement.kind)).toEqual(["acknowledged"]);
  expect(changes).toMatchObject([event]);
});

test("One that nobody acknowledges comes again three times, with one event_id and the attempt", async () => {
  const slack = await startSandboxSlack({ ackLimitMs: 20, eventRetriesMs: [0, 10, 20] });
  const headers = { authorization: `Bearer ${slack.appToken}` };
  const opened = await fetch(`${slack.apiUrl}apps.connections.open`, { method: "POST", headers });
  const socket = new WebSocket(((await opened.json()) as { url: string }).url);
  await waitFor(() => slack.connections() === 1);
  const deliveries = await slack.event({ type: "app_home_opened", user: "U0ALICE" });
  expect(deliveries.map(({ envelope }) => [envelope.retry_attempt, envelope.retry_reason])).toEqual([
    [0, ""],
    [1, "http_timeout"],
    [2, "http_timeout"],
    [3, "http_timeout"],
  ]);
  expect(new Set(deliveries.map(({ envelope }) => envelope.payload["event_id"])).size).toBe(1);
  socket.terminate();
  await slack.close();
});

test("A duplicate goes to the same connection or to another, at once or late", async () => {
  connected = await connectBolt((app) => app.command("/np", ({ ack }) => ack()), { receivers: 2 });
  const { slack } = connected;
  const seen: string[] = [];
  const headers = { authorization: `Bearer ${slack.appToken}` };
  const opened = await fetch(`${slack.apiUrl}apps.connections.open`, { method: "POST", headers });
  const socket = new WebSocket(((await opened.json()) as { url: string }).url);
  socket.on("message", (data: Buffer) => {
    const { envelope_id: id } = JSON.parse(data.toString()) as { envelope_id?: string };
    if (id === undefined) return;
    seen.push(id);
    socket.send(JSON.stringify({ envelope_id: id }));
  });
  await waitFor(() => slack.connections() === 3);
  let first = await slack.command({ ...alice, text: "" });
  while (seen.length === 0) first = await slack.command({ ...alice, text: "" });
  await slack.deliverAgain(first, 2, { connection: "same" });
  expect(seen.filter((id) => id === first.envelope.envelope_id)).toHaveLength(3);
  await slack.deliverAgain(first, 1, { connection: "other", afterMs: 20 });
  expect(seen.filter((id) => id === first.envelope.envelope_id)).toHaveLength(3);
  socket.terminate();
});

test("While connections are refused a dropped one does not come back, then it does", async () => {
  connected = await connectBolt((app) => app.command("/np", ({ ack }) => ack()), { receivers: 2 });
  const { slack } = connected;
  slack.refuse(300);
  slack.drop(0);
  await waitFor(() => slack.connections() === 1);
  expect((await slack.command({ ...alice, text: "" })).acknowledgement.kind).toBe("acknowledged");
  await waitFor(() => slack.connections() === 2, { timeoutMs: 15_000 });
});
