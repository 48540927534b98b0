import { setTimeout as wait } from "node:timers/promises";
import { webApi } from "@slack/bolt";
import { type Dispatcher, fetch as fetchOfUndici } from "undici";
import { boltLogger, type Log } from "./logger.ts";

/** Time limit of one HTTP call to Slack, milliseconds. */
export const callTimeoutMs = 8_000;
const longestWaitMs = 30_000;

/**
 * A Web API client that answers within `timeoutMs` and never repeats by itself: by default Bolt's has no time limit,
 * repeats for half an hour, and stops every other call while one waits for a rate limit.
 */
export function createClient(options: {
  readonly botToken: string;
  readonly apiUrl: string;
  readonly timeoutMs: number;
  readonly log: Log;
  readonly dispatcher?: Dispatcher | undefined;
}): webApi.WebClient {
  return new webApi.WebClient(options.botToken, {
    slackApiUrl: options.apiUrl,
    timeout: options.timeoutMs,
    fetch: fetchBy(options.dispatcher),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: boltLogger(options.log),
  });
}

/**
 * `fetch` by way of a dispatcher (a proxy), or Node's own. Node's takes no dispatcher of another version of undici, so
 * undici's is used with one; both follow the Fetch standard.
 */
export function fetchBy(dispatcher: Dispatcher | undefined): typeof fetch {
  if (dispatcher === undefined) return fetch;
  return ((input: string, init?: object) => fetchOfUndici(input, { ...init, dispatcher })) as unknown as typeof fetch;
}

/** Slack's own word for why it said no (`not_in_channel`); undefined where it did not answer in order. */
export function refusal(error: unknown): string | undefined {
  return error instanceof webApi.WebAPIPlatformError ? error.data.error : undefined;
}

/**
 * Calls up to three times: after a rate limit, at the time Slack names (up to 30 s), since it has done nothing then. Not
 * after silence or a server error: it may have been done. Throws the last error.
 */
export async function calling<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof webApi.WebAPIRateLimitedError)) throw error;
      const pauseMs = error.retryAfter * 1_000;
      if (attempt >= 3 || pauseMs > longestWaitMs) throw error;
      await wait(pauseMs);
    }
  }
}
