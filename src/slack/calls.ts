import { setTimeout as wait } from "node:timers/promises";
import { webApi } from "@slack/bolt";
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
}): webApi.WebClient {
  return new webApi.WebClient(options.botToken, {
    slackApiUrl: options.apiUrl,
    timeout: options.timeoutMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: boltLogger(options.log),
  });
}

/** Slack's own word for why it said no (`not_in_channel`); undefined where it did not answer in order. */
export function refusal(error: unknown): string | undefined {
  return error instanceof webApi.WebAPIPlatformError ? error.data.error : undefined;
}

/**
 * Calls up to three times. After a rate limit always, at the time Slack names (up to 30 s): it has done nothing then.
 * After no answer or a server error only where the call is `repeatable`: it may have been done. Throws the last error.
 */
export async function calling<T>(call: () => Promise<T>, options: { readonly repeatable: boolean }): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const pauseMs = attempt < 3 ? pauseAfter(error, options.repeatable) : undefined;
      if (pauseMs === undefined) throw error;
      await wait(pauseMs);
    }
  }
}

function pauseAfter(error: unknown, repeatable: boolean): number | undefined {
  if (error instanceof webApi.WebAPIRateLimitedError) {
    const pauseMs = error.retryAfter * 1_000;
    return pauseMs <= longestWaitMs ? pauseMs : undefined;
  }
  return repeatable && refusal(error) === undefined ? 500 : undefined;
}
