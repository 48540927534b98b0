import { App } from "@slack/bolt";
import type { Dispatcher } from "undici";
import type { Desk, Outlet } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import { createPictures, type PictureEvent, type Pictures } from "../pictures/pictures.ts";
import type { Operation } from "../policy/operation.ts";
import type { Principal } from "../policy/principal.ts";
import type { Shelf } from "../scheduler/shelf.ts";
import type { DeliveryEvent } from "./aside.ts";
import { channelOutlet, operationOutlet } from "./background.ts";
import { callTimeoutMs, createClient } from "./calls.ts";
import { createCards } from "./cards.ts";
import { type Connection, keepConnected } from "./connection.ts";
import { createDelivery } from "./deliver.ts";
import { createEntrance, type EntranceEvent } from "./entrance.ts";
import { createForms, type FormEvent } from "./forms.ts";
import { createGroups } from "./groups.ts";
import { createHomes, type HomeEvent } from "./homes.ts";
import { type ForgedCall, listenHttp } from "./http.ts";
import { listen } from "./listen.ts";
import { boltLogger, errorText, type Log } from "./logger.ts";
import { createPeople } from "./people.ts";
import { createPicturePost, type PicturePostEvent } from "./picture-post.ts";
import { createReplayGuard } from "./replay.ts";
import type { UpdateEvent } from "./updates.ts";
import { vouchFor } from "./vouch.ts";

/**
 * `socket`: by Socket Mode, with an app token (`xapp-…`, scope connections:write). `http`: by signed calls to a port of
 * ours, 0 for any free one.
 */
export type SlackWay =
  | { readonly mode: "socket"; readonly appToken: string }
  | { readonly mode: "http"; readonly signingSecret: string; readonly port: number };

/** How to reach Slack. The tokens are never logged. */
export type SlackConfig = {
  /** `xoxb-…` */
  readonly botToken: string;
  /** How calls come in. */
  readonly way: SlackWay;
  /** Address of the Web API, also asked for the Socket Mode address: `https://slack.com/api/`, or a sandbox. */
  readonly apiUrl: string;
  /** The slash command, such as `/np`. */
  readonly command: string;
  /** Ids of the workspaces that are answered: an empty list is nobody, undefined the bot's own. */
  readonly teams: readonly string[] | undefined;
  /** The user groups that the access section names: `slack-group:T1/S1`. */
  readonly groups: readonly string[];
  /** The way out for everything that goes to Slack, where it is not the straight one: a proxy. HTTP/1.1 only. */
  readonly dispatcher?: Dispatcher | undefined;
};

/** What this room counts. */
export type SlackEvent =
  | EntranceEvent
  | DeliveryEvent
  | ForgedCall
  | FormEvent
  | UpdateEvent
  | PictureEvent
  | PicturePostEvent
  | HomeEvent
  | "group-unknown"
  | "connected"
  | "disconnected";

export type SlackOptions = {
  readonly desk: Desk;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** Milliseconds from arrival to acknowledgement, for each command and press. */
  readonly onAck?: (ms: number) => void;
  readonly onEvent?: (name: SlackEvent) => void;
  /** What all replicas share. */
  readonly shelf: Shelf;
  /** Draws what replies have as pictures; for tests. */
  readonly pictures?: Pictures;
  /** The card of an operation as it stands now: what Slack did not take is not sent again when it is not so any more. */
  readonly redraw?: (operation: string) => Promise<Reply | undefined>;
};

export type Slack = {
  /** For updates without a request (the background sweep): cards that have a reference. */
  readonly outlet: Outlet;
  /** For an operation that nobody waits for and that may have no card yet: where it was asked for, else to the person. */
  outletFor(operation: Operation): Outlet;
  /** For what is told in a channel by itself. */
  outletIn(channel: string): Outlet;
  /** Who set something up, as Slack knows them now; or why they may not use the bot. Throws where Slack does not answer. */
  vouch(principal: Principal): ReturnType<typeof vouchFor>;
  /** Whether at least one connection stands; over HTTP whether it listens. */
  connected(): boolean;
  /**
   * Resolves when the first connection stands; stays pending while Slack cannot be reached. Over HTTP it rejects where
   * the port cannot be had.
   */
  readonly ready: Promise<void>;
  /** Over HTTP, where it listens. */
  port(): number | undefined;
  /** Takes nothing new. What is being worked on goes on: drain afterwards. */
  stop(): Promise<void>;
  /** Waits for what is being worked on, commands, their answers and changes of cards; false where it took longer than that. */
  drain(timeoutMs: number): Promise<boolean>;
};

/** Slack sends each payload to one of an app's connections: a second one covers the refresh of the first. */
const connections = 2;

/** Users wait for the answer about who they are; the ones about cards may take longer. */
const lookupTimeoutMs = 2_500;

/** Connects to Slack in the background, or listens for it, and hands every command and press to the desk. */
export function startSlack(config: SlackConfig, options: SlackOptions): Slack {
  const { log, now } = options;
  const onEvent = options.onEvent ?? (() => undefined);
  const client = createClient({ ...config, timeoutMs: callTimeoutMs, log });
  const lookups = createClient({ ...config, timeoutMs: lookupTimeoutMs, log });
  const updating = createClient({ ...config, timeoutMs: callTimeoutMs, log });
  const uploading = createClient({ ...config, timeoutMs: callTimeoutMs, log });
  const cards = createCards({ ...options, client, updating, command: config.command, onEvent });
  const drawing = options.pictures ?? createPictures({ onEvent, onProblem: pictureTrouble(log) });
  const pictures = createPicturePost({ ...config, pictures: drawing, client: uploading, cards, log, onEvent });
  const delivery = createDelivery({ cards, pictures, command: config.command, log, onEvent });
  const people = createPeople(lookups, { now, log });
  people.ownTeam().catch((error) => log.warn({ error: errorText(error) }, "Slack did not accept the bot token yet"));
  const groups = createGroups(lookups, { groups: config.groups, now, log, onEvent });
  const identifying = { people, groups, teams: config.teams, log };
  const forms = createForms({ ...options, ...identifying, client: lookups, onEvent });
  const homes = createHomes({ ...options, ...identifying, command: config.command, client: updating, onEvent });
  const entrance = createEntrance({ ...options, ...config, ...identifying, forms, homes, delivery, onEvent });
  const app = createApp(config, log);
  listen(app, { command: config.command, entrance, log, onEvent });
  const way = open(app, config, { ...options, onEvent, alarm: (kind) => entrance.alarm(kind) });
  return {
    outlet: delivery.background,
    outletFor: (operation) => operationOutlet(operation, { delivery, people, log }),
    outletIn: (channel) => channelOutlet(channel, { delivery, people, log }),
    vouch: (principal) => vouchFor(principal, { people, groups, teams: config.teams }),
    connected: () => way.lines.some((line) => line.connected()),
    ready: Promise.race(way.lines.map((line) => line.ready)),
    port: way.port,
    async drain(timeoutMs) {
      const until = performance.now() + timeoutMs;
      const worked = await entrance.drain(timeoutMs);
      const left = (): number => Math.max(0, until - performance.now());
      const updated = await cards.drain(left());
      return (await pictures.drain(left())) && updated && worked;
    },
    async stop() {
      await Promise.all(way.lines.map((line) => line.stop()));
    },
  };
}

function pictureTrouble(log: Log): (why: string) => void {
  return (why) => log.error({ error: why.slice(0, 500) }, "a picture could not be drawn");
}

type Opened = { readonly lines: readonly Connection[]; readonly port: () => number | undefined };

type OpenOptions = Pick<SlackOptions, "now" | "log" | "shelf"> & {
  readonly onEvent: (name: SlackEvent) => void;
  readonly alarm: (kind: ForgedCall) => void;
};

function open(
  app: App,
  { way, apiUrl, dispatcher }: SlackConfig,
  { now, log, shelf, onEvent, alarm }: OpenOptions,
): Opened {
  const onChange = (up: boolean): void => onEvent(up ? "connected" : "disconnected");
  if (way.mode === "socket") {
    const options = { appToken: way.appToken, apiUrl, dispatcher, now, log, onChange };
    return { lines: Array.from({ length: connections }, () => keepConnected(app, options)), port: () => undefined };
  }
  const line = listenHttp(app, {
    ...way,
    now,
    log,
    onChange,
    firstSeen: createReplayGuard(shelf, now),
    onForged: alarm,
    onMalformed: () => onEvent("malformed"),
  });
  return { lines: [line], port: () => line.port() };
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
