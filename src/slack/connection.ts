import { setTimeout as wait } from "node:timers/promises";
import { type App, SocketModeReceiver } from "@slack/bolt";
import type { Dispatcher } from "undici";
import { boltLogger, errorText, type Log } from "./logger.ts";
import type { Arrival } from "./payload.ts";

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

const openTimeoutMs = 15_000;
const closeTimeoutMs = 2_000;
const longestPauseMs = 10_000;

/**
 * Opens a Socket Mode connection for the app and keeps it open until it is stopped. Reconnecting is done here and not
 * by `@slack/socket-mode` 3.1, which waits 5 s after every refresh and turns some failures into unhandled rejections.
 */
export function keepConnected(app: App, options: ConnectionOptions): Connection {
  const receiver = createReceiver(options);
  receiver.init(app);
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  let connected = false;
  const change = (state: boolean): void => {
    connected = state;
    options.onChange(state);
    if (state) first.resolve();
  };
  const running = connectUntil(stopping.signal, receiver, { log: options.log, change });
  return {
    connected: () => connected,
    ready: first.promise,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/**
 * Its client options are its own: the receiver writes its retry policy into them, and they must hold no headers, or
 * the bot token goes to apps.connections.open. No retries, since the loop around it repeats.
 */
function createReceiver(options: ConnectionOptions): SocketModeReceiver {
  return new SocketModeReceiver({
    appToken: options.appToken,
    logger: boltLogger(options.log),
    autoReconnectEnabled: false,
    ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
    installerOptions: {
      clientOptions: { slackApiUrl: options.apiUrl, timeout: 10_000, retryConfig: { retries: 0 } },
    },
    // Called when an envelope arrives, before anything else; Bolt puts the result into the listener's context.
    customPropertiesExtractor: (envelope): { arrival: Arrival } => {
      return { arrival: { at: options.now(), envelope: String(envelope.envelope_id) } };
    },
  });
}

type Hooks = { readonly log: Log; readonly change: (connected: boolean) => void };

async function connectUntil(stopped: AbortSignal, receiver: SocketModeReceiver, hooks: Hooks): Promise<void> {
  let failures = 0;
  while (!stopped.aborted) {
    const opened = await open(receiver, stopped, hooks.log);
    if (opened === undefined) {
      failures += 1;
      const pauseMs = Math.min(longestPauseMs, 250 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
      await wait(pauseMs, undefined, { signal: stopped }).catch(() => undefined);
      continue;
    }
    failures = 0;
    hooks.change(true);
    await unlessAborted(opened.lost, stopped);
    hooks.change(false);
  }
  await close(receiver);
}

/** Undefined where Slack could not be reached or said no, which is logged. */
async function open(
  receiver: SocketModeReceiver,
  stopped: AbortSignal,
  log: Log,
): Promise<{ lost: Promise<void> } | undefined> {
  const lost = new Promise<void>((resolve) => {
    receiver.client.once("disconnected", () => resolve());
  });
  const started = receiver.start().then(() => true);
  try {
    const limit = AbortSignal.any([stopped, AbortSignal.timeout(openTimeoutMs)]);
    if ((await unlessAborted(started, limit)) === true) return { lost };
    // It may still open once nobody waits for it.
    started.then(() => close(receiver)).catch(() => undefined);
    log.warn({}, "Slack connection did not open in time");
  } catch (error) {
    log.warn({ error: errorText(error) }, "Slack connection could not be opened");
  }
  await close(receiver);
  return undefined;
}

async function close(receiver: SocketModeReceiver): Promise<void> {
  await Promise.race([receiver.client.disconnect(), wait(closeTimeoutMs, undefined, { ref: false })]);
}

/** Waits no longer than the signal; undefined where that was first. Leaves no listener on a signal that lives long. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = (): void => aborted.resolve(undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
