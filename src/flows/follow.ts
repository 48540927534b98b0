import { setTimeout as wait } from "node:timers/promises";
import type { FlowSource, FlowSourceState } from "./flow-source.ts";
import { FlowTrouble, wordsOf } from "./flow-trouble.ts";
import type { FlowFormat } from "./record.ts";

export type FollowOptions = {
  /** As configuration names it. */
  readonly name: string;
  readonly cluster: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 to 1, for the pauses between connections. */
  readonly random?: (() => number) | undefined;
  /** The longest of these pauses, milliseconds. */
  readonly longestPauseMs?: number | undefined;
  /** Told of every change. */
  readonly onState?: ((state: FlowSourceState) => void) | undefined;
};

/** How one connection tells of itself. */
export type Report = {
  connected(): void;
  /** What is not as it should be although it stands; undefined: nothing. */
  degraded(why: string | undefined): void;
  heard(format: FlowFormat): void;
};

/** What is followed: its kind, and what should answer there, in words such as `Hubble relay`. */
export type Followed = { readonly kind: FlowSourceState["kind"]; readonly expected: string };

/** One connection, from its beginning to its end, which it throws; resolves only once `stopped` is aborted. */
export type Connect = (report: Report, stopped: AbortSignal) => Promise<void>;

/** A connection that stood for so long was no failure. */
const settledMs = 30_000;
const defaultLongestPauseMs = 30_000;

/** Connects, and again whenever that ended, with pauses that double from half a second on and are jittered by half. */
export function follow(options: FollowOptions, { kind, expected }: Followed, connect: Connect): FlowSource {
  const stopping = new AbortController();
  const formats = new Set<FlowFormat>();
  let lastFlowMs: number | undefined;
  let standing: Pick<FlowSourceState, "state" | "why"> = { state: "connecting", why: undefined };
  const state = (): FlowSourceState => ({
    name: options.name,
    cluster: options.cluster,
    kind,
    formats: [...formats],
    lastFlowMs,
    ...standing,
  });
  const stand = (next: typeof standing): void => {
    if (next.state === standing.state && next.why === standing.why) return;
    standing = next;
    options.onState?.(state());
  };
  const report: Report = {
    connected: () => stand({ state: "connected", why: undefined }),
    degraded: (why) => stand({ state: "connected", why }),
    heard: (format) => {
      formats.add(format);
      lastFlowMs = options.now();
    },
  };
  const failed = (error: unknown) => stand({ state: "failing", why: wordsOf(error, expected) });
  const running = connectUntil(stopping.signal, options, { connect, report, failed });
  return {
    state,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

type Parts = { readonly connect: Connect; readonly report: Report; readonly failed: (error: unknown) => void };

async function connectUntil(stopped: AbortSignal, options: FollowOptions, parts: Parts): Promise<void> {
  let failures = 0;
  while (!stopped.aborted) {
    const startedMs = performance.now();
    const error = await parts.connect(parts.report, stopped).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (stopped.aborted) return;
    parts.failed(error);
    failures = performance.now() - startedMs >= settledMs ? 1 : failures + 1;
    const askedMs = error instanceof FlowTrouble ? (error.retryAfterMs ?? 0) : 0;
    await wait(Math.max(askedMs, pauseMs(failures, options)), undefined, { signal: stopped }).catch(() => undefined);
  }
}

function pauseMs(failures: number, { random = Math.random, longestPauseMs = defaultLongestPauseMs }: FollowOptions) {
  return Math.min(longestPauseMs, 250 * 2 ** Math.min(failures, 10)) * (0.5 + random() / 2);
}
