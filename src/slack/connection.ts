import { setTimeout as wait } from "node:timers/promises";
import type { App } from "@slack/bolt";
import type { Dispatcher } from "undici";
import type { Log } from "./logger.ts";
import { openSession, type Session, unlessAborted } from "./session.ts";

/** One Socket Mode connection that is opened again whenever it is lost. */
export type Connection = {
  connected(): boolean;
  /** Resolves when the connection first stands. */
  readonly ready: Promise<void>;
  /** Closes it for good; Slack sends what comes next to another connection of the app. */
  stop(): Promise<void>;
};

export type ConnectionOptions = {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly now: () => number;
  readonly log: Log;
  readonly onChange: (connected: boolean) => void;
  /** The way out, for the address of the socket and for the socket itself. */
  readonly dispatcher?: Dispatcher | undefined;
};

const longestPauseMs = 10_000;
/** A connection that stood for so long was no failure. */
const settledMs = 30_000;
/** How long the old connection serves on beside the new one. */
const lingerMs = 2_000;

/**
 * Opens a Socket Mode connection for the app and keeps it open until it is stopped. Reconnecting is done here and not
 * by `@slack/socket-mode` 3.1, which waits 5 s after every refresh and turns some failures into unhandled rejections.
 * Where Slack asks for a move, the new connection stands before the old one is closed: nothing is lost between them.
 */
export function keepConnected(app: App, options: ConnectionOptions): Connection {
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  const live = new Set<Session>();
  const hold = (session: Session): void => {
    live.add(session);
    if (live.size === 1) options.onChange(true);
    first.resolve();
    void session.ended.then(() => {
      live.delete(session);
      if (live.size === 0) options.onChange(false);
    });
  };
  const open = (): Promise<Session | undefined> => openSession(app, options, stopping.signal);
  const running = connectUntil(stopping.signal, open, hold);
  return {
    connected: () => live.size > 0,
    ready: first.promise,
    async stop() {
      stopping.abort();
      await running;
      await Promise.all([...live].map((session) => session.close()));
    },
  };
}

/**
 * What ended early is opened again at once the first time, then ever more slowly: Slack greets a connection before it
 * ends it as one too many. The pause counts from the hello, so that what stood for a while is not waited for.
 */
async function connectUntil(
  stopped: AbortSignal,
  open: () => Promise<Session | undefined>,
  hold: (session: Session) => void,
): Promise<void> {
  let failures = 0;
  let before: Session | undefined;
  while (!stopped.aborted) {
    const session = await open();
    const openedAt = performance.now();
    if (session !== undefined) {
      hold(session);
      if (before !== undefined) void retire(before);
      await unlessAborted(session.ending, stopped);
      before = session;
    }
    const stoodMs = performance.now() - openedAt;
    failures = stoodMs >= settledMs ? 0 : failures + 1;
    const leftMs = session !== undefined && failures <= 1 ? 0 : pauseMs(failures) - stoodMs;
    if (leftMs > 0) await wait(leftMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}

function pauseMs(failures: number): number {
  return Math.min(longestPauseMs, 250 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
}

async function retire(session: Session): Promise<void> {
  await wait(lingerMs, undefined, { ref: false });
  await session.close();
}
