import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to a call instead of reaching Slack. */
export type Fault =
  | { readonly kind: "hang" }
  | { readonly kind: "answer"; readonly status: number; readonly body: string; readonly retryAfter?: number };

/** A way to the sandbox's Web API on which single methods fail; Socket Mode and response_urls do not lead over it. */
export type FaultyApi = {
  readonly apiUrl: string;
  /** The methods that were called, in order, whether they failed or not. */
  readonly calls: string[];
  /** The next `times` calls of the method meet the fault. */
  break(method: string, fault: Fault, times: number): void;
  close(): void;
};

export async function startFaultyApi(target: () => string): Promise<FaultyApi> {
  const calls: string[] = [];
  const faults = new Map<string, { fault: Fault; left: number }>();
  const server = createServer((request, response) => {
    const method = (request.url ?? "").slice("/api/".length);
    calls.push(method);
    const entry = faults.get(method);
    if (entry === undefined || entry.left === 0) {
      forward(request, response, `${target()}${method}`).catch(() => response.destroy());
      return;
    }
    entry.left -= 1;
    fail(response, entry.fault);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    calls,
    break: (method, fault, times) => void faults.set(method, { fault, left: times }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function fail(response: ServerResponse, fault: Fault): void {
  if (fault.kind === "hang") return;
  const headers = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
  response.writeHead(fault.status, { "content-type": "application/json", ...headers });
  response.end(fault.body);
}

async function forward(request: IncomingMessage, response: ServerResponse, url: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { authorization = "", "content-type": contentType = "" } = request.headers;
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization, "content-type": contentType },
    body: Buffer.concat(chunks),
  });
  response.writeHead(answer.status, { "content-type": "application/json" });
  response.end(await answer.text());
}
