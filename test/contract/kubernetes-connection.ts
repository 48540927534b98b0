import { randomBytes } from "node:crypto";
import { Agent, fetch, type RequestInit } from "undici";
import { parse } from "yaml";

export type Reply = {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON of an API server, judged by the assertions
  readonly body: any;
};

export type WatchEvent = { readonly type: string; readonly object: Reply["body"] };

/** One API server over raw HTTP, with nothing between the suite and the wire. */
export type Connection = {
  readonly minor: number;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Events as they come; `events` grows, `ended` tells that the server has closed the stream. */
  watch(path: string): Promise<Watched>;
  /** Makes every resourceVersion so far too old, where the server can be told to. */
  readonly expireHistory?: () => Promise<void>;
  close(): Promise<void>;
};

export type Watched = {
  readonly status: number;
  readonly events: WatchEvent[];
  readonly state: { ended: boolean };
  stop(): void;
};

export const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Connects as the kubeconfig says: server and token, the server's certificate taken as it is. */
export async function connectWith(kubeconfig: string): Promise<Connection> {
  const config = parse(kubeconfig);
  const server: string = config.clusters[0].cluster.server;
  const token: string | undefined = config.users[0].user.token;
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  type Init = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };
  const request = (path: string, rest: Init): ReturnType<typeof fetch> => {
    const headers = {
      "content-type": "application/json",
      "user-agent": "contract/1",
      ...authorization,
      ...rest.headers,
    };
    return fetch(`${server}${path}`, { dispatcher, ...rest, headers });
  };
  const call: Connection["call"] = async (method, path, body, headers = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const content = body === undefined ? {} : { body: text };
    const response = await request(path, { method, headers, signal: AbortSignal.timeout(15_000), ...content });
    const reply = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: reply.startsWith("{") ? JSON.parse(reply) : reply,
    };
  };
  const version = await call("GET", "/version");
  return {
    minor: Number.parseInt(version.body.minor, 10),
    call,
    watch: async (path) => {
      const stop = new AbortController();
      const response = await request(path, { signal: stop.signal });
      const watched: Watched = {
        status: response.status,
        events: [],
        state: { ended: false },
        stop: () => stop.abort(),
      };
      void collect(response.body, watched);
      return watched;
    },
    close: () => dispatcher.destroy(),
  };
}

async function collect(body: AsyncIterable<Uint8Array> | null, { events, state }: Watched): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      events.push(...lines.filter((line) => line !== "").map((line) => JSON.parse(line)));
    }
  } catch {
    // Stopped by the test, or cut by the server: either way it has ended.
  }
  state.ended = true;
}

/** A name that no earlier run has left behind. */
export function freshName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString("hex")}`;
}
