import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { readArguments, readBody, readJson, readUpload } from "./body.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Files } from "./files.ts";
import type { Limits } from "./limits.ts";
import { type Arguments, stringOf } from "./method.ts";
import type { ResponseUrls } from "./response-url.ts";
import type { WebApi } from "./web-api.ts";

/** One request that reached the Web API, a response_url or the address of an upload. */
export type RecordedCall = {
  /** `chat.postMessage`, `response_url`, or `upload`. */
  readonly method: string;
  /** By the sandbox's clock, ms. */
  readonly at: number;
  readonly args: Readonly<Record<string, unknown>>;
  /**
   * Undefined where it succeeded. `ratelimited`, `http 503`, `hang` and `reset` where it met a fault; `lost` where it was
   * done and nobody heard of it.
   */
  readonly error: string | undefined;
};

export type ExchangeParts = {
  readonly api: WebApi;
  readonly responseUrls: ResponseUrls;
  readonly files: Files;
  readonly faults: Faults;
  readonly limits: Limits;
  readonly now: () => number;
  readonly record: (call: RecordedCall) => void;
};

/** Answers one HTTP request to the Web API, a response_url or an upload, or lets it meet a fault. */
export async function exchange(
  parts: ExchangeParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  const call = await callOf(parts, request, body);
  const fault = parts.faults.take(call.method, call.args) ?? limited(parts, call);
  const record = (error: string | undefined): void =>
    parts.record({ method: call.method, at: parts.now(), args: Object.fromEntries(call.args), error });
  const instead = fault === undefined ? undefined : insteadOf(fault);
  if (instead !== undefined) {
    record(instead.error);
    return send(response, instead.answer);
  }
  const done = call.perform();
  record(fault?.kind === "lost" ? "lost" : done.error);
  if (fault?.kind === "slow") await wait(fault.delayMs, undefined, { ref: false });
  send(response, fault?.kind === "lost" ? fault.by : done);
}

type Answer = {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly retryAfterS?: number;
};
type Done = Answer & { readonly error: string | undefined };
type Call = { readonly method: string; readonly args: Arguments; readonly perform: () => Done };

const json = "application/json; charset=utf-8";

async function callOf(parts: ExchangeParts, request: IncomingMessage, body: Buffer): Promise<Call> {
  const path = request.url ?? "";
  if (path.startsWith("/upload/")) {
    return uploadCall(parts, path, await readUpload(request.headers["content-type"] ?? "", body));
  }
  return path.startsWith("/api/") ? apiCall(parts, request, String(body)) : hookCall(parts, path, String(body));
}

function uploadCall({ files }: ExchangeParts, path: string, body: Buffer): Call {
  const perform = (): Done => {
    const answer = files.receive(path, body);
    return { ...answer, type: "text/plain", error: answer.status === 200 ? undefined : answer.body };
  };
  return { method: "upload", args: new Map([["bytes", body.length]]), perform };
}

function apiCall({ api }: ExchangeParts, { url = "", headers }: IncomingMessage, body: string): Call {
  const method = url.slice("/api/".length);
  const args = readArguments(headers["content-type"] ?? "", body);
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  const perform = (): Done => {
    const answer =
      args === undefined
        ? { ok: false, error: "invalid_json" }
        : api.call(method, token ?? stringOf(args, "token"), args);
    const error = answer.ok ? undefined : String(answer["error"]);
    return { status: 200, type: json, body: JSON.stringify(answer), error };
  };
  return { method, args: args ?? new Map(), perform };
}

function hookCall({ responseUrls }: ExchangeParts, path: string, body: string): Call {
  const value = readJson(body);
  const args = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  const perform = (): Done => {
    const answer = responseUrls.receive(path, value);
    const good = answer.status === 200;
    return { ...answer, type: good ? "text/plain" : "application/json", error: good ? undefined : answer.body };
  };
  return { method: "response_url", args, perform };
}

function limited({ limits }: ExchangeParts, { method, args }: Call): Fault | undefined {
  const retryAfterS = limits.take(method, args);
  return retryAfterS === undefined ? undefined : { kind: "rate-limited", retryAfterS };
}

/** What is answered where nothing is done; undefined for the faults that come after the work. */
function insteadOf(fault: Fault): { readonly error: string; readonly answer: Answer | "hang" | "reset" } | undefined {
  switch (fault.kind) {
    case "rate-limited":
      return { error: "ratelimited", answer: { ...refused(429, "ratelimited"), retryAfterS: fault.retryAfterS } };
    case "status":
      return { error: `http ${fault.status}`, answer: { status: fault.status, type: "text/html", body: "<html>" } };
    case "error":
      return { error: fault.error, answer: refused(200, fault.error) };
    case "hang":
    case "reset":
      return { error: fault.kind, answer: fault.kind };
    case "lost":
    case "slow":
      return undefined;
  }
}

function refused(status: number, error: string): Answer {
  return { status, type: json, body: JSON.stringify({ ok: false, error }) };
}

function send(response: ServerResponse, answer: Answer | "hang" | "reset"): void {
  if (answer === "hang" || response.destroyed) return;
  if (answer === "reset") return void response.socket?.resetAndDestroy();
  const { status, type, body, retryAfterS } = answer;
  const headers = retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) };
  response.writeHead(status, { "content-type": type, ...headers }).end(body);
}
