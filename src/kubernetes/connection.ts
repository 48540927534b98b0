import { jsonOf } from "./answer.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { KubernetesError, ofCluster } from "./failure.ts";
import { jsonLines } from "./json-lines.ts";
import { createPatience } from "./patience.ts";
import { withRetries } from "./retry.ts";
import { createSender, readAnswer, type Sent } from "./sender.ts";
import type { ServerTime } from "./server-time.ts";
import { callOf, type Exchange } from "./transport.ts";

export type RequestOptions = {
  /** Members that are undefined or empty are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** For the whole call with its retries; else what `createPatience` gives. */
  readonly timeoutMs?: number;
  /** Whether it only asks, as reviews by POST do. Default: only GET. */
  readonly reads?: boolean;
  /**
   * Whether a second execution does no harm, so that the call is repeated after a broken connection or a 5xx: reads,
   * reviews, and writes whose precondition fails once they have taken effect. Default: only GET.
   */
  readonly repeatable?: boolean;
  /** Told of each attempt that failed and may have taken effect all the same. */
  readonly onLost?: () => void;
};

/** JSON over HTTP to one API server. Everything it throws is a KubernetesError that names the cluster. */
export type Connection = {
  /** One call, limited in time, with its safe retries (withRetries says which). */
  request(method: Exchange["method"], path: string, options?: RequestOptions): Promise<unknown>;
  /**
   * GET whose answer is JSON lines: resolves when the answer has begun, and the lines come until the server or the
   * signal, its only time limit, ends them. No retries.
   */
  stream(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<AsyncIterable<unknown>>;
  /** Within 15 s. */
  credentials(): Promise<Credentials>;
  /** Whether the newest exchange got no answer: the server is away, frozen, or cut off. */
  silent(): boolean;
  /** Bounds of the API server's clock now; undefined where it has not told its time within two minutes. */
  serverTime(): ServerTime | undefined;
  /** Leaves pooled connections that may be frozen. */
  renew(): void;
  close(): Promise<void>;
};

export type ConnectionOptions = {
  readonly source: CredentialSource;
  readonly now: () => number;
  /** Milliseconds by a clock that nobody sets. Default: the process's own. */
  readonly monotonic?: () => number;
  /** The cluster's name by configuration, for messages. Default: none, they name the host alone. */
  readonly cluster?: string;
  /** Limit of one call where it names none. Default: see `createPatience`. */
  readonly timeoutMs?: number;
};

/** Nothing is read or connected before the first call. */
export function createConnection(options: ConnectionOptions): Connection {
  const { monotonic = () => performance.now() } = options;
  const sender = createSender(options.source, { now: options.now, monotonic });
  const patience = createPatience();
  const named = (error: unknown): unknown =>
    error instanceof KubernetesError ? ofCluster(error, options.cluster ?? "") : error;
  const noted = async <T>(exchange: () => Promise<T>): Promise<T> => {
    try {
      const answered = await exchange();
      patience.answered();
      return answered;
    } catch (error) {
      patience.failed(error);
      throw named(error);
    }
  };
  return {
    request(method, path, given = {}) {
      const timeoutMs =
        given.timeoutMs ?? options.timeoutMs ?? patience.limitMs((given.reads ?? method === "GET") ? "read" : "write");
      const exchange = exchangeOf(method, path, { ...given, timeoutMs });
      const limits = { endsAt: options.now() + timeoutMs, now: options.now, signal: exchange.signal };
      const send = async () => jsonOf(await readAnswer(await sender.send(exchange)), callOf(exchange));
      const attempt = () => send().catch((error: unknown) => toldOf(error, given.onLost));
      return noted(() => withRetries(attempt, given.repeatable ?? method === "GET", limits));
    },
    stream(path, query, signal) {
      const exchange = exchangeOf("GET", path, { query, signal });
      return noted(async () => {
        const sent = await sender.send(exchange);
        if (sent.response.statusCode !== 200) jsonOf(await readAnswer(sent), callOf(exchange));
        return documentsOf(sent, { heard: () => patience.answered(), named });
      });
    },
    credentials: () =>
      sender.credentials(AbortSignal.timeout(15_000)).catch((error: unknown) => {
        throw named(error);
      }),
    silent: () => patience.silent(),
    serverTime: () => sender.serverTime(),
    renew: () => sender.renew(),
    close: () => sender.close(),
  };
}

function toldOf(error: unknown, onLost: () => void = () => undefined): never {
  if (error instanceof KubernetesError && error.mayHaveTakenEffect) onLost();
  throw error;
}

function exchangeOf(
  method: Exchange["method"],
  path: string,
  { query = {}, body, contentType = "application/json", signal, timeoutMs }: RequestOptions,
): Exchange {
  const parameters = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = new URLSearchParams(parameters).toString();
  const limits = [...(signal ? [signal] : []), ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)])];
  return {
    method,
    target: search === "" ? path : `${path}?${search}`,
    headers: {
      accept: "application/json",
      "user-agent": "bulkhead",
      ...(body === undefined ? {} : { "content-type": contentType }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.any(limits),
  };
}

async function* documentsOf(
  { response, broken }: Sent,
  { heard, named }: { readonly heard: () => void; readonly named: (error: unknown) => unknown },
): AsyncGenerator<unknown, void> {
  try {
    for await (const document of jsonLines(response.body)) {
      heard();
      yield document;
    }
  } catch (error) {
    throw named(broken(error));
  }
}
