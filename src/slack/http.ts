import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { App } from "@slack/bolt";
import type { Connection } from "./connection.ts";
import { isCertificateCheck, parseBody, readBytes } from "./http-body.ts";
import { errorText, type Log } from "./logger.ts";
import type { Arrival } from "./payload.ts";
import { judgeSignature, type SignatureVerdict, signatureOf } from "./signature.ts";

/** Calls that are refused before anybody reads them. */
export type ForgedCall = Exclude<SignatureVerdict, "genuine"> | "replayed";

export type HttpOptions = {
  readonly signingSecret: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly now: () => number;
  readonly log: Log;
  readonly onChange: (listening: boolean) => void;
  /** Whether the signature is seen for the first time. */
  readonly firstSeen: (signature: string) => Promise<boolean>;
  readonly onForged: (kind: ForgedCall) => void;
  readonly onMalformed: () => void;
};

export type HttpEntrance = Connection & {
  /** Where it listens; undefined until it does. */
  port(): number | undefined;
};

/** The path of every request URL in the app's settings. */
const httpPath = "/slack/events";

/** A modal's submission is the largest payload: its view has at most 250 kB. */
const largestBody = 512 * 1_024;
/** Slack's check of the certificate bears no signature and is tiny. */
const largestUnsigned = 1_024;
/** A form that was sent is answered within 2.3 s. */
const closeWithinMs = 5_000;

/**
 * Load balancers keep an idle connection for 60 s (ALB, nginx): it must not close here first, or a call gets lost in
 * between. Node's limit of the headers begins with a call's first byte, or with the connection, and so may be short.
 */
const keepAliveMs = 75_000;
const headersWithinMs = 5_000;
const requestWithinMs = 10_000;
const checkLimitsEveryMs = 5_000;
/** Who says nothing holds one for ten seconds at most, and only a call of Slack's keeps one open after it. */
const mostConnections = 1_024;

/**
 * Slack over HTTP, for the same Bolt app: a receiver of our own, since Bolt's takes calls of the future, replays, and
 * refuses a content type with a charset. Nothing is parsed before its signature is known to be Slack's. `ready` rejects
 * where the port cannot be had.
 */
export function listenHttp(app: App, options: HttpOptions): HttpEntrance {
  const open = new Set<ServerResponse>();
  const server = createServer({ connectionsCheckingInterval: checkLimitsEveryMs }, (request, response) => {
    open.add(response);
    response.once("close", () => open.delete(response));
    if (!server.listening) response.setHeader("connection", "close");
    handle(app, { request, response }, options).catch((error: unknown) => {
      options.log.error({ error: errorText(error) }, "a call over HTTP could not be answered");
      turnDown(response, 500);
    });
  });
  server.keepAliveTimeout = keepAliveMs;
  server.headersTimeout = headersWithinMs;
  server.requestTimeout = requestWithinMs;
  server.maxConnections = mostConnections;
  const ready = listening(server, options);
  ready.catch(() => undefined);
  return {
    connected: () => server.listening,
    ready,
    port: () => portOf(server),
    stop: () => closed(server, open, options),
  };
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

async function handle(app: App, { request, response }: Exchange, options: HttpOptions): Promise<void> {
  const at = options.now();
  if ((request.url ?? "").split("?")[0] !== httpPath) return turnDown(response, 404);
  if (request.method !== "POST") return turnDown(response, request.method === "GET" ? 200 : 405);
  const call = await judge(request, at, options);
  if ("body" in call) return dispatch(app, call.body, { response, arrival: { at, envelope: call.signature } });
  if (call.forged !== undefined) options.onForged(call.forged);
  else if (call.status !== 200) options.onMalformed();
  turnDown(response, call.status);
}

/** A call to be worked on, or with what status it ends here; `forged` where it is not one of Slack's, or not anew. */
type Judged =
  | { readonly body: Record<string, unknown>; readonly signature: string }
  | { readonly status: number; readonly forged?: ForgedCall };

async function judge(request: IncomingMessage, at: number, options: HttpOptions): Promise<Judged> {
  const signature = signatureOf(request.headers);
  const body = await readBytes(request, signature === undefined ? largestUnsigned : largestBody);
  if (body === undefined) return { status: 413, ...(signature === undefined && { forged: "unsigned" }) };
  const verdict = judgeSignature(request.headers, body, { secret: options.signingSecret, now: at });
  if (verdict === "unsigned" && isCertificateCheck(body)) return { status: 200 };
  if (verdict !== "genuine") return { status: 401, forged: verdict };
  // A proxy that repeats a call gets a quiet answer: the first one had the effect.
  if (signature === undefined || !(await options.firstSeen(signature))) return { status: 200, forged: "replayed" };
  const parsed = parseBody(request.headers["content-type"], body);
  if (parsed === undefined) return { status: 400 };
  return parsed["ssl_check"] === "1" ? { status: 200 } : { body: parsed, signature };
}

/**
 * Bolt finds the listener; it acknowledges by answering the request. Slack asks once whether the address for events is ours
 * (docs.slack.dev/reference/events/url_verification), signed as any call.
 */
async function dispatch(
  app: App,
  body: Record<string, unknown>,
  { response, arrival }: { readonly response: ServerResponse; readonly arrival: Arrival },
): Promise<void> {
  if (body["type"] === "url_verification") return answer(response, 200, { challenge: body["challenge"] });
  await app.processEvent({
    body,
    ack: (said: unknown) => {
      answer(response, 200, said);
      return Promise.resolve();
    },
    customProperties: { arrival },
  });
  answer(response, 500);
}

/** Its connection is not used again: nobody knows whose it is, or the request was not read to its end. */
function turnDown(response: ServerResponse, status: number): void {
  if (!response.headersSent) response.setHeader("connection", "close");
  answer(response, status);
}

/** Once; what comes later is not sent. */
function answer(response: ServerResponse, status: number, said?: unknown): void {
  if (response.headersSent) return;
  const text = said === undefined || said === "" ? "" : typeof said === "string" ? said : JSON.stringify(said);
  const type = typeof said === "string" ? "text/plain" : "application/json";
  response.writeHead(status, text === "" ? {} : { "content-type": `${type}; charset=utf-8` });
  response.end(text);
}

function listening(server: Server, { port, onChange }: HttpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => {
      onChange(true);
      resolve();
    });
  });
}

/** What is being answered may end, and its connection with it; connections that only stay open are closed. */
async function closed(server: Server, open: ReadonlySet<ServerResponse>, { onChange }: HttpOptions): Promise<void> {
  if (!server.listening) return;
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const response of open) if (!response.headersSent) response.setHeader("connection", "close");
  server.closeIdleConnections();
  await Promise.race([done, wait(closeWithinMs, undefined, { ref: false })]);
  server.closeAllConnections();
  onChange(false);
}

function portOf(server: Server): number | undefined {
  const address: AddressInfo | string | null = server.address();
  return address === null || typeof address === "string" ? undefined : address.port;
}
