import { Agent, type Dispatcher, ProxyAgent, request } from "undici";
import { z } from "zod";
import { type FlowTls, readSecret, readTls } from "./flow-tls.ts";
import { FlowTrouble, printable } from "./flow-trouble.ts";

/** Where Loki is, and how it is asked there. */
export type LokiAddress = {
  /** Where its API begins, without `/loki/api`. */
  readonly url: string;
  /** A LogQL query of lines. */
  readonly query: string;
  /** X-Scope-OrgID. */
  readonly tenant?: string | undefined;
  readonly tls?: FlowTls | undefined;
  /** A file with a bearer token; or else a user, with the file of the password. */
  readonly tokenFile?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  /** Address of a proxy on the way there. */
  readonly proxy?: string | undefined;
};

/** `ns` is nanoseconds since the epoch. `stream` is the text of its labels. */
export type LokiLine = {
  readonly ns: bigint;
  readonly line: string;
  readonly stream: string;
  readonly node: string | undefined;
};

/** From the first that counts to the first that does not. */
export type LokiRange = { readonly fromNs: bigint; readonly toNs: bigint; readonly limit: number };

export type LokiConnection = {
  /** The earliest lines of the range, in order; `limit` where it gives no such number of lines. Throws a FlowTrouble, or undici's error. */
  lines(range: LokiRange, stopped: AbortSignal): Promise<readonly LokiLine[] | "limit">;
  /** How far its clock was ahead of this machine's, by its last answer; milliseconds. */
  aheadMs(): number;
  close(): void;
};

const answersWithinMs = 30_000;
const mostBytes = 64 * 1_048_576;
/** Its header tells whole seconds, of when it began to answer. */
const clocksAgreeMs = 5_000;

/** Reads the files that it needs anew. Throws a FlowTrouble where it cannot. */
export async function connectLoki(address: LokiAddress, now: () => number): Promise<LokiConnection> {
  const dispatcher = await dispatcherOf(address);
  const headers = await headersOf(address);
  let aheadMs = 0;
  return {
    async lines({ fromNs, toNs, limit }, stopped) {
      const url = new URL(`${address.url.replace(/\/+$/, "")}/loki/api/v1/query_range`);
      const { query } = address;
      url.search = String(
        new URLSearchParams({ query, start: `${fromNs}`, end: `${toNs}`, limit: `${limit}`, direction: "forward" }),
      );
      const timeouts = { headersTimeout: answersWithinMs, bodyTimeout: answersWithinMs };
      const answer = await request(url, { dispatcher, headers, signal: stopped, ...timeouts });
      const text = await textOf(answer.body);
      const skewMs = Date.parse(String(answer.headers["date"])) - now();
      aheadMs = Math.abs(skewMs) > clocksAgreeMs ? skewMs : 0;
      if (answer.statusCode === 200) return linesOf(text);
      if (answer.statusCode === 400 && /max.?entries.?limit/i.test(text)) return "limit";
      throw troubleOf(answer.statusCode, text, Number(answer.headers["retry-after"]));
    },
    aheadMs: () => aheadMs,
    // A proxy's waits for a connection that may never come.
    close: () => void dispatcher.destroy().catch(() => undefined),
  };
}

async function dispatcherOf({ tls = {}, proxy }: LokiAddress): Promise<Dispatcher> {
  const { serverName: servername } = tls;
  const connect = { ...(await readTls(tls)), ...(servername === undefined ? {} : { servername }) };
  return proxy === undefined ? new Agent({ connect }) : new ProxyAgent({ uri: proxy, requestTls: connect });
}

async function headersOf({ tenant, tokenFile, username, passwordFile }: LokiAddress): Promise<Record<string, string>> {
  const scope: Record<string, string> = tenant === undefined ? {} : { "x-scope-orgid": tenant };
  if (tokenFile !== undefined) return { ...scope, authorization: `Bearer ${await readSecret(tokenFile)}` };
  if (username === undefined || passwordFile === undefined) return scope;
  const pair = Buffer.from(`${username}:${await readSecret(passwordFile)}`).toString("base64");
  return { ...scope, authorization: `Basic ${pair}` };
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes)
      throw new FlowTrouble("an answer was of more than 64 MiB: have the query select fewer lines");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString("utf8");
}

const longestAskedMs = 300_000;

function troubleOf(code: number, text: string, retryAfterS: number): FlowTrouble {
  const askedMs = retryAfterS > 0 ? Math.min(longestAskedMs, retryAfterS * 1_000) : undefined;
  if (code === 401 || code === 403) return new FlowTrouble("Loki does not let it in: check its token, or its password");
  if (code === 404)
    return new FlowTrouble("what answers there is no Loki: check the url, and whether it needs a tenant");
  if (code === 429) return new FlowTrouble("Loki says that it is asked too often", askedMs);
  if (code >= 500) return new FlowTrouble(`Loki cannot answer now (${code})`, askedMs);
  if (/no org id/i.test(text)) return new FlowTrouble("Loki wants a tenant: set tenant");
  return new FlowTrouble(`Loki refuses the query (${code}): ${printable(text, 160)}`, askedMs);
}

/** GET /loki/api/v1/query_range (Grafana's reference of Loki's HTTP API); a value may have structured metadata as its third. */
const answerSchema = z.object({
  data: z.object({
    resultType: z.literal("streams"),
    result: z.array(
      z.object({
        stream: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.string().regex(/^\d{1,19}$/), z.string()]).rest(z.unknown())),
      }),
    ),
  }),
});

function linesOf(text: string): readonly LokiLine[] {
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (!parsed.success && /"resultType"\s*:\s*"(matrix|vector|scalar)"/.test(text.slice(0, 4_096)))
    throw new FlowTrouble("the query counts lines: take one that selects them");
  if (!parsed.success) throw new FlowTrouble("what answers there does not answer as Loki does: check the url");
  const lines = parsed.data.data.result.flatMap(({ stream, values }) => {
    const [labels, node] = [JSON.stringify(stream), nodeOf(stream)];
    return values.map(([ns, line]) => ({ ns: BigInt(ns), line, stream: labels, node }));
  });
  return lines.sort((one, other) => (one.ns < other.ns ? -1 : one.ns > other.ns ? 1 : 0));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As the usual agents call the label. */
function nodeOf(stream: Readonly<Record<string, string>>): string | undefined {
  return stream["node_name"] ?? stream["node"] ?? stream["k8s_node_name"] ?? stream["host"];
}
