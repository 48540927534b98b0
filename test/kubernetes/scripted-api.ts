import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { type Connection, createConnection } from "../../src/kubernetes/connection.ts";

export type Seen = { readonly method: string; readonly path: string; readonly url: URL; readonly body: unknown };
export type Answerer = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

/** An HTTP server that answers as the test says, and keeps what it was asked. */
export type ScriptedApi = AsyncDisposable & {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Connections that were ever opened. */
  connections(): number;
  /** Sets what answers from now on. */
  answer(answerer: Answerer): void;
  connect(options?: { readonly timeoutMs?: number; readonly user?: object }): Connection;
};

export async function startScriptedApi(
  first: Answerer = (_seen, response) => json(response, {}),
): Promise<ScriptedApi> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const opened: Connection[] = [];
  let answerer = first;
  let connections = 0;
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://api");
    const body = await text(request);
    const one = { method: request.method ?? "", path: url.pathname, url, body: body ? JSON.parse(body) : undefined };
    seen.push(one);
    await answerer(one, response, request);
  }

  const server = createServer((request, response) => void serve(request, response));
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket.on("close", () => sockets.delete(socket)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    seen,
    connections: () => connections,
    answer(next) {
      answerer = next;
    },
    connect({ timeoutMs = 5_000, user = { token: "secret-token" } } = {}) {
      const source = { kind: "text", text: kubeconfig(url, user) } as const;
      const connection = createConnection({ source, now: Date.now, timeoutMs });
      opened.push(connection);
      return connection;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((connection) => connection.close()));
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** YAML is a superset of JSON. */
export function kubeconfig(server: string, user: object, more: object = {}): string {
  return JSON.stringify({
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true, ...more } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "team" } }],
    "current-context": "x",
  });
}

export function json(response: ServerResponse, body: unknown, code = 200, headers: Record<string, string> = {}): void {
  response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** A metav1.Status as the API server refuses with. */
export function status(response: ServerResponse, code: number, reason: string, more: object = {}): void {
  json(
    response,
    { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: `${reason}!`, ...more },
    code,
  );
}

/** A list page. */
export function listOf(items: readonly unknown[], resourceVersion: string, next = ""): object {
  return { kind: "List", metadata: { resourceVersion, ...(next ? { continue: next } : {}) }, items };
}

export function rawPod(name: string, uid: string, resourceVersion: string, labels: object = {}): object {
  return {
    metadata: { name, namespace: "shop", uid, resourceVersion, labels },
    spec: {},
    status: { phase: "Running" },
  };
}
