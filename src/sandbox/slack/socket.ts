import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import {
  type Acknowledgement,
  createPendingAcknowledgements,
  type PendingAcknowledgements,
} from "./acknowledgements.ts";
import { accept, closeSocket, type DisconnectReason, sendDisconnect } from "./connections.ts";
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

/** Which open connection gets an envelope: the next in turn, the one that had it last, one that had not, or a certain one. */
export type Choice = "any" | "same" | "other" | number;

/** Socket Mode: up to ten WebSocket connections, each payload to one of them in turn. */
export type SocketHub = {
  /** A single-use path for a new connection, as `apps.connections.open` gives out. */
  issueTicket(): string;
  /** For the HTTP server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** `no-connection` where the chosen one is not open. */
  readonly deliver: (envelope: Envelope, choice?: Choice) => Promise<Acknowledgement>;
  /** Open connections. */
  readonly connections: () => number;
  /** Tells all connections, or the one of that index, to reconnect, as Slack does before it recycles a server. */
  readonly disconnect: (reason: DisconnectReason, index?: number) => void;
  /** Ends them, or the one of that index, without a closing handshake, as a broken network does. */
  readonly drop: (index?: number) => void;
  /** Takes no new connection for so long, real time: `apps.connections.open` gives addresses that answer 503. */
  readonly refuse: (forMs: number) => void;
  /** Ends them with a closing handshake, in at most half a second. */
  close(): Promise<void>;
};

/** How long a connection that was told to reconnect stays open: a warning comes about 10 s before (facts, 1.4). */
const leavesWithinMs = 10_000;

/** `ackLimitMs`: how long a delivery may stay unacknowledged; Slack gives 3 s. */
export function createSocketHub(ackLimitMs: number): SocketHub {
  const tickets = new Set<string>();
  const sockets: WebSocket[] = [];
  const pending = createPendingAcknowledgements(ackLimitMs);
  const server = new WebSocketServer({ noServer: true });
  const deliver = createDelivering(sockets, pending);
  const chosen = (index: number | undefined): readonly WebSocket[] =>
    index === undefined ? [...sockets] : sockets.slice(index, index + 1);
  let refusedUntil = 0;

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
      if (performance.now() < refusedUntil) return void socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
      server.handleUpgrade(request, socket, head, (opened) => server.emit("connection", opened, request));
    },
    deliver: deliver.to,
    connections: () => sockets.length,
    disconnect: (reason, index) => {
      for (const socket of chosen(index)) {
        deliver.leave(socket);
        sendDisconnect(socket, reason);
        setTimeout(() => socket.close(1000), leavesWithinMs).unref();
      }
    },
    drop: (index) => chosen(index).forEach((socket) => socket.terminate()),
    refuse: (forMs) => {
      refusedUntil = performance.now() + forMs;
    },
    close: async () => {
      pending.giveUp();
      await Promise.all([...sockets].map(closeSocket));
      server.close();
    },
  };
}

/** Chooses connections in turn. One that was told to reconnect is still open, and given no payload any more. */
function createDelivering(sockets: readonly WebSocket[], pending: PendingAcknowledgements) {
  const leaving = new WeakSet<WebSocket>();
  /** The connection that had an envelope last. */
  const had = new Map<string, WebSocket>();
  let turn = 0;
  const to = (envelope: Envelope, choice: Choice = "any"): Promise<Acknowledgement> => {
    turn += 1;
    const last = had.get(envelope.envelope_id);
    const chosen = typeof choice === "number" ? sockets.slice(choice, choice + 1) : sockets;
    const ready = chosen
      .filter((one) => one.readyState === one.OPEN && !leaving.has(one))
      .filter((one) => (choice === "same" ? one === last : choice !== "other" || one !== last));
    const socket = ready[turn % Math.max(ready.length, 1)];
    if (socket === undefined) return Promise.resolve({ kind: "no-connection" });
    had.set(envelope.envelope_id, socket);
    const acknowledgement = pending.expect(envelope.envelope_id);
    socket.send(JSON.stringify({ ...envelope, headers: undefined }));
    return acknowledgement;
  };
  return { to, leave: (socket: WebSocket) => void leaving.add(socket) };
}
