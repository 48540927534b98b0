import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { type Acknowledgement, createPendingAcknowledgements } from "./acknowledgements.ts";
import { readJson } from "./body.ts";
import { app } from "./people.ts";

export type Envelope = {
  readonly envelope_id: string;
  readonly type: "slash_commands" | "interactive" | "events_api";
  readonly payload: Readonly<Record<string, unknown>>;
  readonly accepts_response_payload: boolean;
  /** Of an event that is sent again: which time, and why. */
  readonly retry_attempt?: number;
  readonly retry_reason?: string;
  /** Headers that HTTP mode adds; never part of what a socket gets. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** Which of the open connections gets an envelope: the next in turn, the one that had it last, or one that had not. */
export type Choice = "any" | "same" | "other";

export type DisconnectReason = "warning" | "refresh_requested" | "link_disabled" | "too_many_websockets";

/** Socket Mode: up to ten WebSocket connections, each payload to one of them in turn. */
export type SocketHub = {
  /** A single-use path for a new connection, as `apps.connections.open` gives out. */
  issueTicket(): string;
  /** For the HTTP server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** `no-connection` where the chosen one is not open. */
  deliver(envelope: Envelope, choice?: Choice): Promise<Acknowledgement>;
  /** Open connections. */
  readonly connections: () => number;
  /** Tells all connections, or the one of that index, to reconnect, as Slack does before it recycles a server. */
  readonly disconnect: (reason: DisconnectReason, index?: number) => void;
  /** Ends them without a closing handshake, as a broken network does. */
  readonly drop: () => void;
  /** Ends them with a closing handshake, in at most half a second. */
  close(): Promise<void>;
};

const maxConnections = 10;
const pingEveryMs = 5_000;
const closingMs = 500;

/** `ackLimitMs`: how long a delivery may stay unacknowledged; Slack gives 3 s. */
export function createSocketHub(ackLimitMs: number): SocketHub {
  const tickets = new Set<string>();
  const sockets: WebSocket[] = [];
  const pending = createPendingAcknowledgements(ackLimitMs);
  const server = new WebSocketServer({ noServer: true });
  /** Told to reconnect: still open, and given no payload any more. */
  const leaving = new WeakSet<WebSocket>();
  /** The connection that had an envelope last. */
  const had = new Map<string, WebSocket>();
  let turn = 0;

  server.on("connection", (socket) => {
    accept(socket, sockets, (id, payload) => pending.acknowledge(id, payload));
  });

  return {
    issueTicket: () => {
      const path = `/link/?ticket=${randomUUID()}&app_id=${app.id}`;
      tickets.add(path);
      return path;
    },
    upgrade: (request, socket, head) => {
      if (!tickets.delete(request.url ?? "")) return void socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
      server.handleUpgrade(request, socket, head, (opened) => server.emit("connection", opened, request));
    },
    deliver: ({ headers: _, ...envelope }, choice = "any") => {
      turn += 1;
      const last = had.get(envelope.envelope_id);
      const ready = sockets
        .filter((one) => one.readyState === one.OPEN && !leaving.has(one))
        .filter((one) => choice === "any" || (one === last) === (choice === "same"));
      const socket = ready[turn % Math.max(ready.length, 1)];
      if (socket === undefined) return Promise.resolve({ kind: "no-connection" });
      had.set(envelope.envelope_id, socket);
      const acknowledgement = pending.expect(envelope.envelope_id);
      socket.send(JSON.stringify(envelope));
      return acknowledgement;
    },
    connections: () => sockets.length,
    disconnect: (reason, index) => {
      const chosen = index === undefined ? [...sockets] : sockets.slice(index, index + 1);
      for (const socket of chosen) {
        leaving.add(socket);
        sendDisconnect(socket, reason);
      }
    },
    drop: () => [...sockets].forEach((socket) => socket.terminate()),
    close: async () => {
      pending.giveUp();
      await Promise.all([...sockets].map(closeSocket));
      server.close();
    },
  };
}

function accept(socket: WebSocket, sockets: WebSocket[], acknowledge: (id: string, payload: unknown) => void): void {
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

function closeSocket(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => socket.terminate(), closingMs);
    socket.once("close", () => {
      clearTimeout(limit);
      resolve();
    });
    socket.close(1001);
  });
}

function sendDisconnect(socket: WebSocket, reason: DisconnectReason): void {
  socket.send(JSON.stringify({ type: "disconnect", reason, debug_info: { host: "sandbox" } }));
}

/** Undefined for what is no acknowledgement. */
function readAnswer(data: RawData): { readonly id: string; readonly payload: unknown } | undefined {
  const answer = Buffer.isBuffer(data) ? readJson(data.toString("utf8")) : undefined;
  if (typeof answer !== "object" || answer === null || !("envelope_id" in answer)) return undefined;
  return { id: String(answer.envelope_id), payload: "payload" in answer ? answer.payload : undefined };
}
