import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readArguments, readBody, readJson } from "./body.ts";
import { createDispatch } from "./dispatch.ts";
import { createDriver, type Driver } from "./driver.ts";
import { createHttpDelivery, type HttpDelivery } from "./http-delivery.ts";
import { stringOf } from "./method.ts";
import { app, type SandboxChannel, type SandboxGroup, type SandboxUser, team } from "./people.ts";
import { createResponseUrls, type ResponseUrls } from "./response-url.ts";
import { createSocketHub, type SocketHub } from "./socket.ts";
import { createTriggers } from "./triggers.ts";
import type { Plan } from "./user-groups.ts";
import { createViews } from "./views.ts";
import { createWebApi, type WebApi } from "./web-api.ts";
import { createWorkspace } from "./workspace.ts";

export type SandboxSlackOptions = {
  /** Milliseconds; decides the 30 minutes of a response_url and the 3 s of a trigger. `Date.now` where absent. */
  readonly now?: () => number;
  readonly users?: readonly SandboxUser[];
  readonly channels?: readonly SandboxChannel[];
  readonly groups?: readonly SandboxGroup[];
  /** How long an envelope may stay unacknowledged, in real time; 3 000 where absent, as Slack has it. */
  readonly ackLimitMs?: number;
};

/** One request that reached the Web API or a response_url. */
export type RecordedCall = {
  /** `chat.postMessage`, or `response_url`. */
  readonly method: string;
  /** By the sandbox's clock, ms. */
  readonly at: number;
  readonly args: Readonly<Record<string, unknown>>;
  /** Undefined where it succeeded. */
  readonly error: string | undefined;
};

export type SandboxSlack = Driver & {
  /** For `slackApiUrl`, with its trailing slash. */
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string;
  /** HTTP mode, and requests with something wrong. */
  readonly http: HttpDelivery;
  readonly teamId: string;
  readonly appId: string;
  readonly botUserId: string;
  /** Every call so far, oldest first. */
  readonly calls: readonly RecordedCall[];
  /** A free workspace has no user groups; it is a paid one at first. */
  setPlan(plan: Plan): void;
  readonly connections: SocketHub["connections"];
  readonly disconnect: SocketHub["disconnect"];
  readonly drop: SocketHub["drop"];
  readonly close: () => Promise<void>;
};

/** A Slack on loopback: Web API, Socket Mode and response_urls on one random port of 127.0.0.1. */
export async function startSandboxSlack(options: SandboxSlackOptions = {}): Promise<SandboxSlack> {
  const now = options.now ?? Date.now;
  const botToken = "xoxb-sandbox";
  const appToken = "xapp-sandbox";
  const signingSecret = "sandbox-signing-secret";
  const limitMs = options.ackLimitMs ?? 3_000;
  const workspace = createWorkspace({ ...options, now });
  const hub = createSocketHub(limitMs);
  const requests = createHttpDelivery({ signingSecret, now, limitMs });
  const dispatch = createDispatch({ workspace, hub, http: requests });
  const triggers = createTriggers(now);
  const views = createViews(now);
  const responseUrls = createResponseUrls(workspace, now);
  const calls: RecordedCall[] = [];
  const http = createServer();
  let plan: Plan = "paid";
  const host = () => `127.0.0.1:${portOf(http)}`;
  const api = createWebApi({ workspace, hub, triggers, views, plan: () => plan, botToken, appToken, host });

  http.on("request", (request, response) => {
    const record = (call: Omit<RecordedCall, "at">) => void calls.push({ ...call, at: now() });
    handle({ request, response, api, responseUrls, record }).catch((error: unknown) =>
      response.destroy(asError(error)),
    );
  });
  http.on("upgrade", (request, socket, head) => hub.upgrade(request, socket, head));
  await new Promise<void>((resolve) => void http.listen(0, "127.0.0.1", resolve));

  return {
    ...createDriver({ workspace, dispatch, views, triggers, responseUrls, now, origin: () => `http://${host()}` }),
    apiUrl: `http://${host()}/api/`,
    botToken,
    appToken,
    signingSecret,
    http: requests,
    teamId: team.id,
    appId: app.id,
    botUserId: app.botUser,
    calls,
    setPlan: (chosen) => {
      plan = chosen;
    },
    connections: hub.connections,
    disconnect: hub.disconnect,
    drop: hub.drop,
    close: () => close(http, hub),
  };
}

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly api: WebApi;
  readonly responseUrls: ResponseUrls;
  readonly record: (call: Omit<RecordedCall, "at">) => void;
};

async function handle(exchange: Exchange): Promise<void> {
  const path = exchange.request.url ?? "";
  const body = await readBody(exchange.request);
  if (path.startsWith("/api/")) return answerCall(exchange, path.slice("/api/".length), body);
  answerResponseUrl(exchange, path, body);
}

function answerCall({ request, response, api, record }: Exchange, method: string, body: string): void {
  const args = readArguments(request.headers["content-type"] ?? "", body);
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const answer =
    args === undefined
      ? { ok: false, error: "invalid_json" }
      : api.call(method, token ?? stringOf(args, "token"), args);
  record({ method, args: Object.fromEntries(args ?? []), error: answer.ok ? undefined : String(answer["error"]) });
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(answer));
}

function answerResponseUrl({ response, responseUrls, record }: Exchange, path: string, body: string): void {
  const value = readJson(body);
  const answer = responseUrls.receive(path, value);
  const args = typeof value === "object" && value !== null ? { ...value } : {};
  record({ method: "response_url", args, error: answer.status === 200 ? undefined : answer.body });
  response.writeHead(answer.status, { "content-type": answer.status === 200 ? "text/plain" : "application/json" });
  response.end(answer.body);
}

async function close(http: Server, hub: SocketHub): Promise<void> {
  await hub.close();
  const closed = new Promise<void>((resolve) => void http.close(() => resolve()));
  http.closeAllConnections();
  await closed;
}

function portOf(http: Server): number {
  const address: AddressInfo | string | null = http.address();
  if (address === null || typeof address === "string") throw new Error("the sandbox Slack does not listen");
  return address.port;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
