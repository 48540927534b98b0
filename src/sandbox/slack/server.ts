import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createDispatch, type Delivery } from "./dispatch.ts";
import { createDriver, type Driver, known } from "./driver.ts";
import { sendEvent } from "./events.ts";
import { exchange, type RecordedCall } from "./exchange.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createFiles } from "./files.ts";
import { createHomeHands, createHomes, type HomeHands } from "./homes.ts";
import { createHttpDelivery, type HttpDelivery } from "./http-delivery.ts";
import { createLimits } from "./limits.ts";
import { app, type SandboxChannel, type SandboxGroup, type SandboxUser, team } from "./people.ts";
import { createResponseUrls } from "./response-url.ts";
import { createSocketHub, type SocketHub } from "./socket.ts";
import { createTriggers } from "./triggers.ts";
import type { Plan } from "./user-groups.ts";
import { createViews } from "./views.ts";
import { createWebApi } from "./web-api.ts";
import { createWorkspace } from "./workspace.ts";

export type SandboxSlackOptions = {
  /** Milliseconds; decides the 30 minutes of a response_url and the 3 s of a trigger. `Date.now` where absent. */
  readonly now?: () => number;
  readonly users?: readonly SandboxUser[];
  readonly channels?: readonly SandboxChannel[];
  readonly groups?: readonly SandboxGroup[];
  /** How long an envelope may stay unacknowledged, in real time; 3 000 where absent, as Slack has it. */
  readonly ackLimitMs?: number;
  /** Whether Slack's rate limits hold from the start; they do not where absent. */
  readonly limits?: boolean;
  /** After which pauses an event that nobody acknowledged is sent again, ms; Slack's where absent. */
  readonly eventRetriesMs?: readonly number[];
  /** Where files are to be sent, such as `https://files.slack.test`, where that leads here; its own address where absent. */
  readonly uploadOrigin?: string;
};

export type SandboxSlack = Driver &
  HomeHands & {
    /** For `slackApiUrl`, with its trailing slash. */
    readonly apiUrl: string;
    readonly botToken: string;
    readonly appToken: string;
    readonly signingSecret: string;
    /** HTTP mode, and requests with something wrong. */
    readonly http: HttpDelivery;
    readonly teamId: string;
    readonly appId: string;
    readonly botUserId: string;
    /** Every call so far, oldest first. */
    readonly calls: readonly RecordedCall[];
    /** A free workspace has no user groups; it is a paid one at first. */
    setPlan(plan: Plan): void;
    /** Faults of the Web API and of response_urls. */
    readonly faults: Pick<Faults, "add" | "clear">;
    /** Slack's rate limits on or off. */
    readonly setLimits: (on: boolean) => void;
    /** Sends an event, and again until it is acknowledged, as Slack does. */
    event(event: Readonly<Record<string, unknown>>): Promise<readonly Delivery[]>;
    readonly connections: SocketHub["connections"];
    readonly disconnect: SocketHub["disconnect"];
    readonly drop: SocketHub["drop"];
    readonly refuse: SocketHub["refuse"];
    readonly close: () => Promise<void>;
  };

const secrets = {
  botToken: "xoxb-sandbox",
  appToken: "xapp-sandbox",
  signingSecret: "sandbox-signing-secret",
} as const;
const ids = { teamId: team.id, appId: app.id, botUserId: app.botUser } as const;
const eventRetriesMs = [0, 60_000, 300_000] as const;

/** A Slack on loopback: Web API, Socket Mode and response_urls on one random port of 127.0.0.1. */
export async function startSandboxSlack(options: SandboxSlackOptions = {}): Promise<SandboxSlack> {
  const parts = createParts(options);
  const { server, hub, http, faults, limits, dispatch, calls, now } = parts;
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const driver = createDriver(parts);
  const event: SandboxSlack["event"] = (told) =>
    sendEvent(dispatch, told, { now, retriesMs: options.eventRetriesMs ?? eventRetriesMs });
  return {
    ...secrets,
    ...ids,
    ...driver,
    ...createHomeHands({ ...parts, event, person: (id) => known(driver.user(id), id) }),
    apiUrl: `${parts.origin()}/api/`,
    http,
    calls,
    faults,
    setLimits: (on) => limits.set(on),
    setPlan: parts.setPlan,
    event,
    connections: hub.connections,
    disconnect: hub.disconnect,
    drop: hub.drop,
    refuse: hub.refuse,
    close: () => close(server, hub),
  };
}

function createParts(options: SandboxSlackOptions) {
  const { now = Date.now, ackLimitMs: limitMs = 3_000 } = options;
  const server = createServer();
  const origin = (): string => `http://127.0.0.1:${portOf(server)}`;
  const workspace = createWorkspace({ ...options, now });
  const hub = createSocketHub(limitMs);
  const http = createHttpDelivery({ signingSecret: secrets.signingSecret, now, limitMs });
  const dispatch = createDispatch({ workspace, hub, http });
  const triggers = createTriggers(now);
  const views = createViews(now);
  const homes = createHomes(workspace);
  const responseUrls = createResponseUrls(workspace, now);
  const files = createFiles(workspace, () => options.uploadOrigin ?? origin());
  const faults = createFaults(now);
  const limits = createLimits(now, options.limits ?? false);
  const calls: RecordedCall[] = [];
  let plan: Plan = "paid";
  const setPlan = (chosen: Plan): void => {
    plan = chosen;
  };
  const api = createWebApi({ ...secrets, workspace, hub, triggers, views, homes, files, plan: () => plan, origin });
  const desk = { api, responseUrls, files, faults, limits, now, record: (call: RecordedCall) => void calls.push(call) };
  server.on("request", (request, response) => {
    exchange(desk, request, response).catch((error: unknown) => response.destroy(asError(error)));
  });
  server.on("upgrade", (request, socket, head) => hub.upgrade(request, socket, head));
  const state = { workspace, views, homes, triggers, responseUrls, faults, limits, calls, setPlan };
  return { ...state, server, hub, http, dispatch, now, origin };
}

async function close(http: Server, hub: SocketHub): Promise<void> {
  await hub.close();
  const closed = new Promise<void>((resolve) => void http.close(() => resolve()));
  http.closeAllConnections();
  await closed;
}

function portOf(http: Server): number {
  const address: AddressInfo | string | null = http.address();
  if (address === null || typeof address === "string") throw new Error("the sandbox Slack does not listen");
  return address.port;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
