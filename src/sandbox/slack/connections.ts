import type { RawData, WebSocket } from "ws";
import { readJson } from "./body.ts";
import { app } from "./people.ts";

export type DisconnectReason = "warning" | "refresh_requested" | "link_disabled" | "too_many_websockets";

const maxConnections = 10;
const pingEveryMs = 5_000;
const closingMs = 500;

/** Takes a new connection into the open ones and says hello; an eleventh is told that there are too many. */
export function accept(
  socket: WebSocket,
  sockets: WebSocket[],
  acknowledge: (id: string, payload: unknown) => void,
): void {
  socket.on("error", () => socket.terminate());
  if (sockets.length >= maxConnections) {
    sendDisconnect(socket, "too_many_websockets");
    return socket.close();
  }
  sockets.push(socket);
  const ping = setInterval(() => socket.ping("Ping from Slack"), pingEveryMs);
  socket.on("close", () => {
    clearInterval(ping);
    sockets.splice(sockets.indexOf(socket), 1);
  });
  socket.on("message", (data) => {
    const answer = readAnswer(data);
    if (answer !== undefined) acknowledge(answer.id, answer.payload);
  });
  socket.send(
    JSON.stringify({
      type: "hello",
      num_connections: sockets.length,
      debug_info: { host: "sandbox", build_number: 1, approximate_connection_time: 18_060 },
      connection_info: { app_id: app.id },
    }),
  );
}

export function closeSocket(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => socket.terminate(), closingMs);
    socket.once("close", () => {
      clearTimeout(limit);
      resolve();
    });
    socket.close(1001);
  });
}

export function sendDisconnect(socket: WebSocket, reason: DisconnectReason): void {
  socket.send(JSON.stringify({ type: "disconnect", reason, debug_info: { host: "sandbox" } }));
}

/** Undefined for what is no acknowledgement. */
function readAnswer(data: RawData): { readonly id: string; readonly payload: unknown } | undefined {
  const answer = Buffer.isBuffer(data) ? readJson(data.toString("utf8")) : undefined;
  if (typeof answer !== "object" || answer === null || !("envelope_id" in answer)) return undefined;
  return { id: String(answer.envelope_id), payload: "payload" in answer ? answer.payload : undefined };
}
