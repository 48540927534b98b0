import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";

export type Health = {
  readonly readiness: () => Readiness;
  /** What only a restart ends. An event loop that does not turn answers nothing, which the kubelet takes for the same. */
  readonly stuck: () => readonly string[];
};

/** Answers what is for it, and says whether it was. */
export type Answerer = (request: IncomingMessage, response: ServerResponse) => boolean;

/** `/livez`, `/readyz` (both say what is wrong) and `/metrics`, and what else is asked of `more`. Resolves when it listens. */
export async function startProbes(
  port: number,
  metrics: Metrics,
  health: Health,
  more: Answerer = () => false,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (path === "/livez") return answerHealth(response, { missing: health.stuck(), degraded: [] });
    if (path === "/readyz") return answerHealth(response, health.readiness());
    if (path === "/metrics") return void metricsTo(response, metrics);
    if (!more(request, response)) answer(response, 404, "not found");
    return undefined;
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

/** What is wrong stands in the body whatever the answer is. */
function answerHealth(response: ServerResponse, { missing, degraded }: Readiness): void {
  const wrong = [...missing, ...degraded];
  const lines = missing.length === 0 ? ["ok", ...wrong] : wrong;
  answer(response, missing.length === 0 ? 200 : 503, lines.join("\n"));
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
