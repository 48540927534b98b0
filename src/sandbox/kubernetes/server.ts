import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { actionOf, authenticate, forbiddenTo, type User } from "./access.ts";
import { type Api, answer } from "./api.ts";
import { discover, serverVersion } from "./discovery.ts";
import { asServed } from "./events.ts";
import type { Faults } from "./faults.ts";
import { resourceVersionOf, selectorOf } from "./list.ts";
import { openApiV2, openApiV3 } from "./openapi.ts";
import { formOf, one, represent } from "./representation.ts";
import { type ResourceRequest, readBody, resourceRequest } from "./request.ts";
import { groupVersion } from "./resources.ts";
import { badRequest, methodNotAllowed, StatusError } from "./status.ts";
import { serveWatch, type WatchTiming } from "./watch.ts";

export type ServerParts = Api & {
  readonly tokens: ReadonlyMap<string, User>;
  readonly faults: Faults;
  readonly timing: WatchTiming;
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
  const body = await readAll(request);
  const fault = parts.faults.meet(method, url);
  if (fault === "hang") return;
  if (fault === "reset") return void request.socket.destroy();
  if (["/healthz", "/livez", "/readyz"].includes(url.pathname)) return void response.end("ok");
  if (url.pathname === "/version") return sendJson(response, 200, serverVersion);
  const user = authenticate(parts.tokens, request.headers.authorization);
  const document = discover(parts.resources, url.pathname) ?? openApiV3(parts.resources, url.pathname);
  if (document !== undefined) return sendJson(response, 200, document);
  if (url.pathname === "/openapi/v2") return void response.end(openApiV2());
  const wanted = resourceRequest(parts.resources, method, url);
  if (wanted === undefined) throw methodNotAllowed();
  const action = actionOf(wanted);
  if (wanted.resource.type === "stored" && !parts.authorizer.allows(user, action)) throw forbiddenTo(user, action);
  if (wanted.verb === "watch") return watch(parts, wanted, request, response);
  const caller = {
    user,
    userAgent: request.headers["user-agent"] ?? "unknown",
    contentType: request.headers["content-type"] ?? "",
    body: readBody(body, request.headers["content-type"] ?? ""),
  };
  const result = answer(parts, wanted, caller);
  if (fault === "lose-answer") return void request.socket.destroy();
  for (const warning of result.type === "object" ? (result.warnings ?? []) : []) {
    response.appendHeader("warning", `299 - ${JSON.stringify(warning)}`);
  }
  const form = formOf(request.headers.accept ?? "");
  sendJson(response, result.type === "list" ? 200 : result.code, represent(wanted.resource, result, form, parts.now()));
}

function watch(parts: ServerParts, wanted: ResourceRequest, request: IncomingMessage, response: ServerResponse): void {
  const { resource, query, namespace } = wanted;
  if (query.get("sendInitialEvents") !== null)
    throw badRequest("sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
  const form = formOf(request.headers.accept ?? "");
  parts.faults.track(response);
  serveWatch(
    parts.store,
    {
      storage: resource.storage,
      namespace,
      selects: selectorOf(wanted),
      resourceVersion: resourceVersionOf(wanted),
      bookmarks: ["1", "true"].includes(query.get("allowWatchBookmarks") ?? ""),
      // Between 30 and 60 minutes on the server, where the client names no time.
      timeoutSeconds: Number(query.get("timeoutSeconds")) || 1_800,
      show: (object) => one(asServed(resource, object), form, parts.now()),
      type: { kind: resource.kind, apiVersion: groupVersion(resource) },
    },
    response,
    parts.timing,
  );
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
