import type { Dispatcher } from "undici";
import type { Answer } from "./answer.ts";
import { type CredentialSource, type Credentials, createCredentialStore } from "./credentials.ts";
import { KubernetesError } from "./failure.ts";
import { createServerClock, type ServerTime } from "./server-time.ts";
import { createTransport, type Exchange, isTimeout, isTlsFailure, transportFailure } from "./transport.ts";

/** An exchange whose answer has begun; `broken` says what it means when its body breaks off. */
export type Sent = {
  readonly response: Dispatcher.ResponseData;
  readonly broken: (error: unknown) => KubernetesError;
};

/** Sends exchanges with this cluster's credentials, and keeps what every answer tells by the way. */
export type Sender = {
  send(exchange: Exchange): Promise<Sent>;
  /** Throws KubernetesError where the signal ends before there are any. */
  credentials(signal: AbortSignal): Promise<Credentials>;
  serverTime(): ServerTime | undefined;
  renew(): void;
  close(): Promise<void>;
};

/** Two clocks: the wall's, for how long credentials count, and a monotonic one, for the server's time. */
export type Clocks = { readonly now: () => number; readonly monotonic: () => number };

export function createSender(source: CredentialSource, { now, monotonic }: Clocks): Sender {
  const store = createCredentialStore(source, now);
  const transport = createTransport();
  const clock = createServerClock(monotonic);
  return {
    async send(exchange) {
      const credentials = await orAbort(store.read(), exchange.signal);
      const headers = { ...exchange.headers, ...credentials.headers };
      const sentAtMs = monotonic();
      const response = await transport.send(credentials, { ...exchange, headers }).catch((error: unknown) => {
        // A certificate that was replaced, ours or the authority's, fails in the handshake already.
        if (isTlsFailure(error)) store.forget();
        throw error;
      });
      const dateMs = dateOf(response);
      if (dateMs !== undefined) clock.heard({ dateMs, sentAtMs, heardAtMs: monotonic() });
      if (response.statusCode === 401) store.forget();
      return { response, broken: (error) => transportFailure(error, credentials.server, exchange) };
    },
    credentials: (signal) => orAbort(store.read(), signal),
    serverTime: () => clock.time(),
    renew: () => transport.renew(),
    close: () => transport.close(),
  };
}

/** Of an API server: what a proxy answers in its place bears the proxy's time, and is no JSON. */
function dateOf({ headers }: Dispatcher.ResponseData): number | undefined {
  if (!String(headers["content-type"]).startsWith("application/json")) return undefined;
  const dateMs = Date.parse(String(headers["date"]));
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

/** The promise, or the signal's end before it; the promise itself cannot be stopped (an exec plugin that hangs). */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const end = () => {
    const kind = isTimeout(signal) ? "timeout" : "aborted";
    ended.reject(
      new KubernetesError({ kind, message: "the credentials of the kubeconfig were not to be had in time" }),
    );
  };
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([promise, ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** The answer with its body, to the end. */
export async function readAnswer({ response, broken }: Sent): Promise<Answer> {
  const text = await response.body.text().catch((error: unknown) => {
    throw broken(error);
  });
  const { "content-type": contentType, "retry-after": retryAfter } = response.headers;
  return { code: response.statusCode, contentType: String(contentType), retryAfter: String(retryAfter), text };
}
