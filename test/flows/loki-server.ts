import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Issued } from "./authority.ts";

export type Line = { readonly ns: bigint; readonly line: string; readonly stream?: Readonly<Record<string, string>> };

/**
 * A Loki by the words of its reference: `query_range` gives the first `limit` lines from `start` on and before `end`, of all streams
 * together, and refuses more than its own limit.
 */
export type LokiServer = {
  readonly url: string;
  readonly lines: Line[];
  /** What was asked, in order. */
  readonly asked: { readonly url: URL; readonly headers: IncomingMessage["headers"] }[];
  /** Answers in its place, while it is set. */
  instead: ((response: ServerResponse) => void) | undefined;
  /** How far its clock is ahead, milliseconds. */
  aheadMs: number;
  mostLines: number;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startLoki(tls?: Issued): Promise<LokiServer> {
  const asked: LokiServer["asked"] = [];
  const loki = {
    lines: [] as Line[],
    asked,
    instead: undefined as LokiServer["instead"],
    aheadMs: 0,
    mostLines: 5_000,
  };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "", "http://loki");
    asked.push({ url, headers: request.headers });
    response.setHeader("date", new Date(Date.now() + loki.aheadMs).toUTCString());
    if (loki.instead !== undefined) return loki.instead(response);
    const limit = Number(url.searchParams.get("limit"));
    if (limit > loki.mostLines) {
      response.writeHead(400);
      return response.end(
        `max entries limit per query exceeded, limit > max_entries_limit (${limit} > ${loki.mostLines})`,
      );
    }
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(JSON.stringify(answerOf(loki.lines, url.searchParams)));
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(loki, {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
}

function answerOf(lines: readonly Line[], query: URLSearchParams): object {
  const [start, end] = [BigInt(query.get("start") ?? 0), BigInt(query.get("end") ?? 0)];
  const found = lines
    .filter(({ ns }) => ns >= start && ns < end)
    .sort((one, other) => (one.ns < other.ns ? -1 : one.ns > other.ns ? 1 : 0))
    .slice(0, Number(query.get("limit")));
  const streams = Map.groupBy(found, ({ stream }) => JSON.stringify(stream ?? { job: "hubble" }));
  const result = [...streams].map(([stream, of]) => ({
    stream: JSON.parse(stream),
    values: of.map(({ ns, line }) => [String(ns), line]),
  }));
  return { status: "success", data: { resultType: "streams", result, stats: {} } };
}
