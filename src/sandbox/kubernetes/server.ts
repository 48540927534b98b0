import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { actionOf, authenticate, forbiddenTo, type User } from "./access.ts";
import { answer } from "./answer.ts";
import { discover, serverVersion } from "./discovery.ts";
import { asServed } from "./events.ts";
import type { Answer, Api, Caller } from "./exchange.ts";
import type { ServerFaults } from "./faults.ts";
import type { JsonObject } from "./json.ts";
import { resourceVersionOf, selectorOf } from "./list.ts";
import { openApiV2, openApiV3 } from "./openapi.ts";
import { formOf, one, represent } from "./representation.ts";
import { isTrue, type ResourceRequest, readBody, resourceRequest } from "./request.ts";
import { groupVersion } from "./resources.ts";
import { badRequest, methodNotAllowed, StatusError } from "./status.ts";
import { serveWatch, type WatchTiming } from "./watch.ts";

export type ServerParts = Api & {
  readonly tokens: ReadonlyMap<string, User>;
  readonly faults: ServerFaults;
  readonly timing: Pick<WatchTiming, "bookmarkEveryMs">;
};

const maxBodyBytes = 3 * 1024 * 1024;

/** The API over HTTP. Every refusal becomes a Status body; what nobody expected becomes a 500 with its message. */
export function createApiServer(parts: ServerParts): Server {
  const server = createServer((request, response) => {
    serve(parts, request, response).catch((error: unknown) => refuse(response, error));
  });
  server.keepAliveTimeout = 90_000;
  return server;
}

async function serve(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://sandbox");
  const method = request.method ?? "GET";
  const bytes = await readAll(request);
  await new Promise<void>((resolve) => parts.faults.freezer.whenThawed(resolve));
  // The clock that creationTimestamp goes by.
  response.setHeader("date", new Date(parts.now()).toUTCString());
  const fault = parts.faults.meet(method, url);
  if (fault === "hang") return;
  if (fault === "reset") return void request.socket.destroy();
  if (serveOpenly(url.pathname, response)) return;
  const user = authenticate(parts.tokens, request.headers.authorization);
  if (serveDocument(parts, url.pathname, response)) return;
  const wanted = resourceRequest(parts.resources, method, url);
  if (wanted === undefined) throw methodNotAllowed();
  authorize(parts, user, wanted);
  if (wanted.verb === "watch") return watch(parts, wanted, request, response);
  const result = answer(parts, wanted, callerOf(user, request, bytes));
  if (fault === "lose-answer") return void request.socket.destroy();
  if (fault === "swallow-answer") return;
  sendAnswer(response, result, represent(wanted.resource, result, formOf(request.headers.accept ?? ""), parts.now()));
}

function callerOf(user: User, { headers }: IncomingMessage, bytes: Buffer): Caller {
  const contentType = headers["content-type"] ?? "";
  return { user, userAgent: headers["user-agent"] ?? "unknown", contentType, body: readBody(bytes, contentType) };
}

/** What anybody may read, whatever the token. */
function serveOpenly(path: string, response: ServerResponse): boolean {
  if (path === "/version") sendJson(response, 200, serverVersion);
  else if (["/healthz", "/livez", "/readyz"].includes(path)) response.end("ok");
  else return false;
  return true;
}

function serveDocument({ resources }: ServerParts, path: string, response: ServerResponse): boolean {
  const document = discover(resources, path) ?? openApiV3(resources, path);
  if (document !== undefined) sendJson(response, 200, document);
  else if (path === "/openapi/v2") response.end(openApiV2());
  else return false;
  return true;
}

/** Everybody may ask what they may; everything else is the authoriser's to allow. */
function authorize({ authorizer }: ServerParts, user: User, wanted: ResourceRequest): void {
  const action = actionOf(wanted);
  if (wanted.resource.type === "stored" && !authorizer.allows(user, action)) throw forbiddenTo(user, action);
}

function sendAnswer(response: ServerResponse, result: Answer, body: JsonObject): void {
  for (const warning of result.type === "object" ? (result.warnings ?? []) : []) {
    response.appendHeader("warning", `299 - ${JSON.stringify(warning)}`);
  }
  sendJson(response, result.type === "list" ? 200 : result.code, body);
}

function watch(parts: ServerParts, wanted: ResourceRequest, request: IncomingMessage, response: ServerResponse): void {
  const { resource, query, namespace } = wanted;
  if (query.get("sendInitialEvents") !== null) {
    throw badRequest("sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
  }
  const form = formOf(request.headers.accept ?? "");
  const expire = serveWatch(
    parts.store,
    {
      storage: resource.storage,
      namespace,
      selects: selectorOf(wanted),
      resourceVersion: resourceVersionOf(wanted),
      bookmarks: isTrue(query.get("allowWatchBookmarks")),
      // Between 30 and 60 minutes on the server, where the client names no time.
      timeoutSeconds: Number(query.get("timeoutSeconds")) || 1_800,
      show: (object) => one(asServed(resource, object), form, parts.now()),
      type: { kind: resource.kind, apiVersion: groupVersion(resource) },
    },
    response,
    { ...parts.timing, whenReady: (act) => parts.faults.freezer.whenThawed(act) },
  );
  parts.faults.track({ response, expire });
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBodyBytes) throw new StatusError(413, "RequestEntityTooLarge", `limit is ${maxBodyBytes}`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(code, {
    "content-type": "application/json",
    "content-length": text.length,
    "cache-control": "no-cache, private",
  });
  response.end(text);
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const known =
    error instanceof StatusError
      ? error
      : new StatusError(500, "InternalError", `Internal error occurred: ${String(error)}`);
  const { status } = known;
  const retry = status.details?.["retryAfterSeconds"];
  if (typeof retry === "number") response.setHeader("retry-after", String(retry));
  sendJson(response, status.code, status);
}
