import type { KubernetesError } from "./failure.ts";

/** How a watch stands. */
export type WatchState = {
  /** Path of the collection. */
  readonly path: string;
  /** A whole list was read, and every event since. */
  readonly synced: boolean;
  /** When the server last confirmed that this is current, milliseconds since the epoch; undefined before it first did. */
  readonly seenAtMs: number | undefined;
  /** When it last heard from the server or failed to: it is stuck where that is long ago, whatever the server does. */
  readonly triedAtMs: number;
  /** Why it does not go on at the moment. What is stored then is old, not empty. */
  readonly problem: KubernetesError | undefined;
};

const stuckAfterMs = 300_000;

/**
 * Whether there are watches and not one of them has heard anything, or failed at anything, for five minutes. A server
 * that is away makes every watch fail every few seconds, so this is our own standstill, which a restart ends.
 */
export function areStuck(watches: readonly WatchState[], now: number): boolean {
  return watches.length > 0 && watches.every(({ triedAtMs }) => now - triedAtMs > stuckAfterMs);
}

/** How far a watch has come, and what its failures mean for it. */
export type Progress = {
  /** The resourceVersion to watch from; empty where a list must come first. */
  position(): string;
  listed(resourceVersion: string): void;
  /** The server was heard from, and everything up to there is stored. */
  advanced(resourceVersion: string): void;
  /** Returns the milliseconds to wait before going on. */
  failed(failure: KubernetesError): number;
  state(): WatchState;
};

/** So many failures in a row make the watch list again: a server restored from a backup is behind our position. */
const mostResumes = 5;

/** Whatever a server, or a proxy before it, asks to wait: a cache that nobody renews for a day is of no use. */
const longestWaitMs = 60_000;

export function createProgress(path: string, now: () => number): Progress {
  let position = "";
  let failures = 0;
  let state: WatchState = { path, synced: false, seenAtMs: undefined, triedAtMs: now(), problem: undefined };

  function advanced(resourceVersion: string): void {
    position = resourceVersion;
    failures = 0;
    const at = now();
    state = { ...state, seenAtMs: at, triedAtMs: at, problem: undefined };
  }

  return {
    position: () => position,
    listed(resourceVersion) {
      // A list alone is no success: a server that lists and then answers every watch with 410 is to be waited for.
      const before = failures;
      advanced(resourceVersion);
      failures = before;
      state = { ...state, synced: true };
    },
    advanced,
    failed(failure) {
      failures += 1;
      const expired = failure.kind === "expired";
      if (expired || failures % mostResumes === 0) position = "";
      state = { ...state, synced: state.synced && !expired, triedAtMs: now(), problem: failure };
      const asked = failure.retryAfterMs ?? backoffMs(expired ? failures - 1 : failures);
      return Math.min(asked, longestWaitMs);
    },
    state: () => state,
  };
}

/** Doubling from half a second to 5 s, jittered by half, so that a cache is right soon after its server is back. */
function backoffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(250 * 2 ** failures, 5_000) * (0.5 + Math.random());
}
