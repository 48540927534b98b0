import type { KubernetesError } from "./failure.ts";

/** How a watch stands. */
export type WatchState = {
  /** Path of the collection. */
  readonly path: string;
  /** A whole list was read, and every event since. */
  readonly synced: boolean;
  /** When the server last confirmed that this is current, milliseconds since the epoch; undefined before it first did. */
  readonly seenAtMs: number | undefined;
  /** Why it does not go on at the moment. What is stored then is old, not empty. */
  readonly problem: KubernetesError | undefined;
};

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

export function createProgress(path: string, now: () => number): Progress {
  let position = "";
  let failures = 0;
  let state: WatchState = { path, synced: false, seenAtMs: undefined, problem: undefined };

  function advanced(resourceVersion: string): void {
    position = resourceVersion;
    failures = 0;
    state = { ...state, seenAtMs: now(), problem: undefined };
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
      state = { ...state, synced: state.synced && !expired, problem: failure };
      return failure.retryAfterMs ?? backoffMs(expired ? failures - 1 : failures);
    },
    state: () => state,
  };
}

/** Doubling from half a second to 15 s, jittered by half; none for no failure. */
function backoffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(250 * 2 ** failures, 15_000) * (0.5 + Math.random());
}
