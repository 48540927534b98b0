import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request as overHttp, type ServerResponse } from "node:http";
import { request as overTls, Agent as TlsAgent } from "node:https";
import type { AddressInfo } from "node:net";
import { parse, stringify } from "yaml";
import { type Call, createTap, type Fault, type Tap, type TapParts } from "./tap.ts";

/** A reverse proxy in front of an API server. Answers are streamed, so that watches pass as they are. */
export type KubeProxy = Tap & {
  /** The kubeconfig that was given, pointed here; the token goes through untouched. */
  readonly kubeconfig: string;
  /** Cuts every connection, watches among them. */
  cut(): void;
  close(): Promise<void>;
};

/** `kubeconfig` is one with a single cluster and a bearer token (or none); its server's certificate is not verified. */
export async function startKubeProxy(kubeconfig: string): Promise<KubeProxy> {
  const config = parse(kubeconfig) as Kubeconfig;
  const upstream = upstreamOf(config);
  const tap = createTap();
  const server = createServer((request, response) => {
    pass({ tap, upstream, request, response }).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...tap,
    kubeconfig: pointedAt(here, config),
    cut: () => server.closeAllConnections(),
    async close() {
      upstream.agent.destroy();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type Kubeconfig = { readonly clusters: readonly { readonly name: string; readonly cluster: { server: string } }[] };
type Upstream = { readonly url: URL; readonly send: typeof overHttp; readonly agent: Agent };

function upstreamOf({ clusters }: Kubeconfig): Upstream {
  const url = new URL(clusters[0]?.cluster.server ?? "");
  return url.protocol === "https:"
    ? { url, send: overTls, agent: new TlsAgent({ keepAlive: true, rejectUnauthorized: false }) }
    : { url, send: overHttp, agent: new Agent({ keepAlive: true }) };
}

function pointedAt(server: string, config: Kubeconfig): string {
  const clusters = config.clusters.map(({ name }) => ({ name, cluster: { server, "insecure-skip-tls-verify": true } }));
  return stringify({ ...config, clusters });
}

type Exchange = {
  readonly tap: TapParts;
  readonly upstream: Upstream;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
};

async function pass(exchange: Exchange): Promise<void> {
  const { tap, request, response } = exchange;
  const body = await bytesOf(request);
  const { method: verb = "GET", url: what = "/" } = request;
  const { call, fault } = await tap.meet({ verb, what, text: `${what} ${body.toString()}` }, isWrite(verb, what));
  if (fault.instead !== undefined) {
    tap.ended(call, "not sent");
    return refuse(response, fault.instead);
  }
  await forward(exchange, body, { call, fault });
}

/** Access reviews are POSTs that change nothing. */
function isWrite(method: string, path: string): boolean {
  return ["POST", "PATCH", "PUT", "DELETE"].includes(method) && !path.startsWith("/apis/authorization.k8s.io/");
}

function refuse(response: ServerResponse, how: NonNullable<Fault["instead"]>): void {
  if (how === "hang") return;
  if (how === "reset") return void response.destroy();
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", code: how, message: "injected by the proxy" };
  const headers = how === 429 || how === 503 ? { "retry-after": "1" } : {};
  response.writeHead(how, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

async function forward(
  { tap, upstream, request, response }: Exchange,
  body: Buffer,
  { call, fault }: { readonly call: Call; readonly fault: Fault },
): Promise<void> {
  const { connection: _connection, host: _host, "transfer-encoding": _encoding, ...headers } = request.headers;
  const sent = upstream.send(new URL(call.what, upstream.url), {
    method: call.verb,
    agent: upstream.agent,
    headers: { ...headers, ...(body.length > 0 ? { "content-length": body.length } : {}) },
  });
  response.once("close", () => void (response.writableFinished || sent.destroy()));
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  await fault.after?.();
  tap.ended(call, fault.answer === undefined ? (answer.statusCode ?? 0) : "answer lost");
  if (fault.answer !== undefined) {
    answer.resume();
    if (fault.answer === "reset") response.destroy();
    return;
  }
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.once("error", () => response.destroy());
  answer.pipe(response);
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
