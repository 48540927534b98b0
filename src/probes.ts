import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";

/** What keeps the bot from being ready, in words; empty when it is. */
export type Readiness = () => readonly string[];

/** `/livez` (the event loop turns), `/readyz` (with what is missing), `/metrics`. Resolves when it listens. */
export async function startProbes(
  port: number,
  metrics: Metrics,
  readiness: Readiness,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (path === "/livez") return answer(response, 200, "ok");
    if (path === "/readyz") return ready(response, readiness());
    if (path === "/metrics") return void metricsTo(response, metrics);
    return answer(response, 404, "not found");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

function ready(response: ServerResponse, missing: readonly string[]): void {
  answer(response, missing.length === 0 ? 200 : 503, missing.length === 0 ? "ok" : missing.join("\n"));
}

async function metricsTo(response: ServerResponse, metrics: Metrics): Promise<void> {
  try {
    answer(response, 200, await metrics.text(), metrics.contentType);
  } catch {
    answer(response, 500, "metrics cannot be collected");
  }
}

function answer(response: ServerResponse, code: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(code, { "content-type": type });
  response.end(`${text}\n`);
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
