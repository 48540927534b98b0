import { setTimeout as wait } from "node:timers/promises";
import { KubernetesError } from "./failure.ts";

export type RetryLimits = {
  /** Milliseconds since the epoch; a wait that would end later is not begun. */
  readonly endsAt: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
};

const mostTries = 5;

/**
 * Tries again where that is safe: 401 once (the credentials are read anew); 429 and connections that never came about,
 * always, since nothing was done; broken connections and 5xx only where the call is repeatable. Waits double, or are
 * what Retry-After says, and are jittered, so that many callers do not come back at once. Throws the last failure.
 */
export async function withRetries<T>(attempt: () => Promise<T>, repeatable: boolean, limits: RetryLimits): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const waitMs = waitBefore(error, tries, repeatable);
      if (waitMs === undefined || tries >= mostTries || limits.now() + waitMs >= limits.endsAt) throw error;
      // The next attempt reports a signal that ended the wait.
      await wait(waitMs, undefined, { signal: limits.signal }).catch(() => undefined);
    }
  }
}

/** Milliseconds until the next try; undefined where there must be none. */
function waitBefore(error: unknown, tries: number, repeatable: boolean): number | undefined {
  if (!(error instanceof KubernetesError)) return undefined;
  const backoff = 100 * 2 ** (tries - 1) * (0.5 + Math.random());
  if (error.kind === "unauthorized") return tries === 1 ? 0 : undefined;
  const asked = error.retryAfterMs === undefined ? backoff : error.retryAfterMs * (1 + 0.1 * Math.random());
  if (error.kind === "throttled") return asked;
  if (error.kind === "unreachable") return repeatable || !error.mayHaveTakenEffect ? backoff : undefined;
  if (error.kind === "server-error") return repeatable ? asked : undefined;
  return undefined;
}
