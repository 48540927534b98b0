import { App } from "@slack/bolt";
import type { Desk, Outlet } from "../commands/desk.ts";
import type { Operation } from "../policy/operation.ts";
import type { DeliveryEvent } from "./aside.ts";
import { operationOutlet } from "./background.ts";
import { callTimeoutMs, createClient } from "./calls.ts";
import { createCards } from "./cards.ts";
import { keepConnected } from "./connection.ts";
import { createDelivery } from "./deliver.ts";
import { createEntrance, type EntranceEvent } from "./entrance.ts";
import { listen } from "./listen.ts";
import { boltLogger, errorText, type Log } from "./logger.ts";
import { createPeople } from "./people.ts";

/** How to reach Slack. The tokens are never logged. */
export type SlackConfig = {
  /** `xoxb-…` */
  readonly botToken: string;
  /** `xapp-…`, with the scope connections:write. */
  readonly appToken: string;
  /** Address of the Web API, also asked for the Socket Mode address: `https://slack.com/api/`, or a sandbox. */
  readonly apiUrl: string;
  /** The slash command, such as `/np`. */
  readonly command: string;
  /** Ids of the workspaces that are answered: an empty list is nobody, undefined the bot's own. */
  readonly teams: readonly string[] | undefined;
};

/** What this room counts. */
export type SlackEvent = EntranceEvent | DeliveryEvent | "connected" | "disconnected";

export type SlackOptions = {
  readonly desk: Desk;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** Milliseconds from arrival to acknowledgement, for each command and press. */
  readonly onAck?: (ms: number) => void;
  readonly onEvent?: (name: SlackEvent) => void;
};

export type Slack = {
  /** For updates without a request (the background sweep): cards that have a reference. */
  readonly outlet: Outlet;
  /** For an operation that nobody waits for and that may have no card yet: where it was asked for, else to the person. */
  outletFor(operation: Operation): Outlet;
  /** Whether at least one connection stands. */
  connected(): boolean;
  /** Resolves when the first connection stands; stays pending while Slack cannot be reached. */
  readonly ready: Promise<void>;
  /** Takes nothing new. What is being worked on goes on: drain afterwards. */
  stop(): Promise<void>;
  /** Waits for what is being worked on, commands and their answers; false where it took longer than that. */
  drain(timeoutMs: number): Promise<boolean>;
};

/** Slack sends each payload to one of an app's connections: a second one covers the refresh of the first. */
const connections = 2;

/** Users wait for the answer about who they are; the ones about cards may take longer. */
const lookupTimeoutMs = 2_500;

/** Connects to Slack in the background, and hands every command and press to the desk. */
export function startSlack(config: SlackConfig, options: SlackOptions): Slack {
  const { log, now } = options;
  const onEvent = options.onEvent ?? (() => undefined);
  const client = createClient({ ...config, timeoutMs: callTimeoutMs, log });
  const lookups = createClient({ ...config, timeoutMs: lookupTimeoutMs, log });
  const cards = createCards(client, config.command);
  const delivery = createDelivery({ cards, command: config.command, log, onEvent });
  const people = createPeople(lookups, { now, log });
  people.ownTeam().catch((error) => log.warn({ error: errorText(error) }, "Slack did not accept the bot token yet"));
  const entrance = createEntrance({ ...options, ...config, people, delivery, onEvent });
  const app = createApp(config, log);
  listen(app, { command: config.command, entrance, log, onEvent });
  const lines = Array.from({ length: connections }, () =>
    keepConnected(app, { ...config, now, log, onChange: (up) => onEvent(up ? "connected" : "disconnected") }),
  );
  return {
    outlet: delivery.background,
    outletFor: (operation) => operationOutlet(operation, { delivery, people, log }),
    connected: () => lines.some((line) => line.connected()),
    ready: Promise.race(lines.map((line) => line.ready)),
    drain: (timeoutMs) => entrance.drain(timeoutMs),
    async stop() {
      await Promise.all(lines.map((line) => line.stop()));
    },
  };
}

/**
 * A Bolt app that only routes. `authorize` needs no call, so that nothing stands between arrival and acknowledgement;
 * the receivers are made apart from it (see connection.ts); what Bolt's own client would do, calls.ts does.
 */
function createApp(config: SlackConfig, log: Log): App {
  return new App({
    authorize: () => Promise.resolve({ botToken: config.botToken }),
    receiver: { init: () => undefined, start: () => Promise.resolve(), stop: () => Promise.resolve() },
    clientOptions: { slackApiUrl: config.apiUrl, retryConfig: { retries: 0 }, timeout: callTimeoutMs },
    logger: boltLogger(log),
    convoStore: false,
    attachFunctionToken: false,
  });
}
