import { setTimeout as wait } from "node:timers/promises";
import { type App, SocketModeReceiver } from "@slack/bolt";
import { z } from "zod";
import type { ConnectionOptions } from "./connection.ts";
import { boltLogger, errorText } from "./logger.ts";
import type { Arrival } from "./payload.ts";

/** One Socket Mode connection, from its hello to its end. */
export type Session = {
  /** Resolves when Slack asks for a move to another connection, or this one is lost. It may serve on for seconds. */
  readonly ending: Promise<void>;
  /** Resolves when it is closed, by whomever. */
  readonly ended: Promise<void>;
  /** Sends the acknowledgements that are owed, and closes it. */
  close(): Promise<void>;
};

type Receiver = { readonly client: SocketModeReceiver["client"]; readonly start: () => Promise<unknown> };

const openTimeoutMs = 15_000;
const closeTimeoutMs = 2_000;
const acknowledgeWithinMs = 500;

/** Undefined where Slack could not be reached or said no, which is logged, and where `stopped` came first. */
export async function openSession(
  app: App,
  options: ConnectionOptions,
  stopped: AbortSignal,
): Promise<Session | undefined> {
  const receiver = createReceiver(app, options);
  const asked = Promise.withResolvers<void>();
  hearMoves(receiver.client, asked.resolve);
  const owed = countOwed(receiver.client);
  const ended = new Promise<void>((resolve) => {
    receiver.client.once("disconnected", () => resolve());
  });
  const started = receiver.start().then(() => true);
  try {
    const limit = AbortSignal.any([stopped, AbortSignal.timeout(openTimeoutMs)]);
    if ((await unlessAborted(started, limit)) === true) {
      return { ending: Promise.race([asked.promise, ended]), ended, close: () => close(receiver, owed) };
    }
    // It may still open once nobody waits for it.
    started.then(() => close(receiver, owed)).catch(() => undefined);
    options.log.warn({}, "Slack connection did not open in time");
  } catch (error) {
    options.log.warn({ error: errorText(error) }, "Slack connection could not be opened");
  }
  await close(receiver, owed);
  return undefined;
}

/** Waits no longer than the signal; undefined where that was first. Leaves no listener on a signal that lives long. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
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

/**
 * Its client options are its own: the receiver writes its retry policy into them, and they must hold no headers, or
 * the bot token goes to apps.connections.open. No retries, since the loop around it repeats.
 */
function createReceiver(app: App, options: ConnectionOptions): Receiver {
  const receiver = new SocketModeReceiver({
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
  receiver.init(app);
  return { client: receiver.client, start: () => receiver.start() };
}

/**
 * The client closes the connection as soon as Slack asks for a move, with acknowledgements still to be sent for what
 * came just before: the people who typed that saw a timeout. So the request is kept from it and told to us.
 */
function hearMoves(client: Receiver["client"], onAsked: () => void): void {
  const handlers = client.listeners("ws_message");
  client.removeAllListeners("ws_message");
  client.on("ws_message", (data: unknown, isBinary: boolean) => {
    if (!isBinary && asksToMove(String(data))) return onAsked();
    for (const handle of handlers) handle(data, isBinary);
  });
}

const moveRequest = z.object({ type: z.literal("disconnect"), reason: z.enum(["warning", "refresh_requested"]) });

/** Of the other reasons (`link_disabled`, `too_many_websockets`) none leaves the connection any use. */
function asksToMove(message: string): boolean {
  if (!message.includes('"disconnect"')) return false;
  try {
    return moveRequest.safeParse(JSON.parse(message)).success;
  } catch {
    return false;
  }
}

/** How many envelopes wait for their acknowledgement. */
function countOwed(client: Receiver["client"]): () => number {
  const owed = new Set<unknown>();
  client.on("slack_event", ({ envelope_id: id }: { readonly envelope_id: unknown }) => void owed.add(id));
  client.on("outgoing_message", ({ envelope_id: id }: { readonly envelope_id: unknown }) => void owed.delete(id));
  return () => owed.size;
}

async function close({ client }: Receiver, owed: () => number): Promise<void> {
  const giveUp = Date.now() + acknowledgeWithinMs;
  while (owed() > 0 && Date.now() < giveUp) await wait(10);
  await Promise.race([client.disconnect(), wait(closeTimeoutMs, undefined, { ref: false })]);
}
