import pino from "pino";
import type { Alarm, Desk, Outlet } from "../../src/commands/desk.ts";
import type { HomeRequest } from "../../src/commands/home.ts";
import { quarantineForm } from "../../src/commands/quarantine-form.ts";
import type { Reply } from "../../src/commands/reply.ts";
import type { Press, Request } from "../../src/commands/request.ts";
import { principalKey } from "../../src/policy/principal.ts";
import { type SandboxSlack, startSandboxSlack } from "../../src/sandbox/slack/server.ts";
import type { Shelf } from "../../src/scheduler/shelf.ts";
import { type Slack, type SlackEvent, type SlackOptions, startSlack } from "../../src/slack/receive.ts";
import { card, note } from "./replies.ts";

type Run = (request: Request, outlet: Outlet) => Promise<Reply>;
type PressRun = (press: Press, outlet: Outlet) => Promise<Reply>;

/** The real edge on real Bolt against the Slack on loopback; the desk is the test's. */
export type Edge = {
  readonly sandbox: SandboxSlack;
  readonly slack: Slack;
  readonly requests: Request[];
  readonly homes: HomeRequest[];
  readonly presses: Press[];
  readonly turnedAway: { readonly request: Request | Press; readonly why: string }[];
  readonly alarms: Alarm[];
  readonly events: SlackEvent[];
  readonly acks: number[];
  readonly logged: () => string;
  /** What the desk does with the next commands and presses. */
  does(run: Run): void;
  doesOnPress(run: PressRun): void;
  close(): Promise<void>;
};

export type EdgeOptions = {
  readonly now?: () => number;
  /** Another way to the sandbox's Web API. */
  readonly apiUrl?: (sandbox: SandboxSlack) => Promise<string>;
  /** Whether to wait for the first connection. */
  readonly connected?: boolean;
  /** By HTTP instead of Socket Mode, with this signing secret. */
  readonly signingSecret?: string;
  readonly port?: number;
  /** Shared by edges that stand for replicas of one bot. */
  readonly shelf?: Shelf;
  /** What the desk offers in a form, and whether it asks for a cluster. */
  readonly suggest?: Desk["suggest"];
  readonly askCluster?: boolean;
  /** The form that the desk has for a command; else that of a quarantine for this word. */
  readonly form?: Desk["form"];
  /** What the desk makes of a form that was sent. */
  readonly formText?: Desk["formText"];
  /** The card of an operation as it stands by the time that an update is sent again. */
  readonly redraw?: SlackOptions["redraw"];
  /** Draws pictures, in place of a thread that each edge has to itself. */
  readonly pictures?: SlackOptions["pictures"];
  /** A person's own page. */
  readonly home?: (request: HomeRequest) => Reply;
  /** User groups that the access section names. */
  readonly groups?: readonly string[];
};

export async function startEdge(options: EdgeOptions = {}): Promise<Edge> {
  const now = options.now ?? Date.now;
  const sandbox = await startSandboxSlack({ now });
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const seen = {
    requests: [] as Request[],
    homes: [] as HomeRequest[],
    presses: [] as Press[],
    turnedAway: [] as Edge["turnedAway"],
    alarms: [] as Alarm[],
  };
  const events: SlackEvent[] = [];
  const acks: number[] = [];
  let run: Run = show(card());
  let press: PressRun = show(note("Pressed"));
  const desk: Desk = {
    understand: ({ text }) => ({
      line: `Understood: ${text}`,
      operation: "q-7f3kabc",
    }),
    form: async (request, who) =>
      (await options.form?.(request, who)) ??
      (request.text === "quarantine" ? quarantineForm(options.askCluster ?? false) : undefined),
    run: (request, outlet) => {
      seen.requests.push(request);
      return run(request, outlet);
    },
    press: (pressed, outlet) => {
      seen.presses.push(pressed);
      return press(pressed, outlet);
    },
    home: (request) => {
      seen.homes.push(request);
      return Promise.resolve(options.home?.(request) ?? note(`The page of ${principalKey(request.principal)}`));
    },
    turnAway: async (request, why, outlet) => {
      seen.turnedAway.push({ request, why });
      return show(note(why))(request, outlet);
    },
    suggest: (asked) => options.suggest?.(asked) ?? Promise.resolve([]),
    formText: (form, who) =>
      options.formText?.(form, who) ?? Promise.resolve(`quarantine ${form.fields["namespace"]}/${form.fields["pod"]}`),
    alarm: async (alarm) => void seen.alarms.push(alarm),
    flush: () => Promise.resolve(),
  };
  const { signingSecret, groups = [], shelf = memoryShelf(now) } = options;
  const way =
    signingSecret === undefined
      ? ({ mode: "socket", appToken: sandbox.appToken } as const)
      : ({ mode: "http", signingSecret, port: options.port ?? 0 } as const);
  const apiUrl = (await options.apiUrl?.(sandbox)) ?? sandbox.apiUrl;
  const config = { botToken: sandbox.botToken, way, apiUrl, command: "/np", teams: undefined, groups };
  const onEvent = (name: SlackEvent) => void events.push(name);
  const slack = startSlack(config, {
    desk,
    now,
    log,
    onAck: (ms) => void acks.push(ms),
    onEvent,
    shelf,
    ...(options.redraw === undefined ? {} : { redraw: options.redraw }),
    ...(options.pictures === undefined ? {} : { pictures: options.pictures }),
  });
  if (options.connected !== false)
    await slack.ready.catch((error) => sandbox.close().then(() => Promise.reject(error)));
  return {
    sandbox,
    slack,
    ...seen,
    events,
    acks,
    logged: () => lines.join(""),
    does: (next) => {
      run = next;
    },
    doesOnPress: (next) => {
      press = next;
    },
    async close() {
      await slack.stop();
      await slack.drain(100);
      await sandbox.close();
    },
  };
}

/** What Redis does for all replicas, in memory. */
export function memoryShelf(now: () => number): Shelf {
  const kept = new Map<string, { readonly value: string; readonly until: number }>();
  const get = (key: string): string | undefined => {
    const found = kept.get(key);
    return found === undefined || found.until <= now() ? undefined : found.value;
  };
  return {
    async first(key, ttlMs) {
      const known = get(key) !== undefined;
      if (!known) kept.set(key, { value: "1", until: now() + ttlMs });
      return !known;
    },
    put: async (key, value, ttlMs) => void kept.set(key, { value, until: now() + ttlMs }),
    get: async (key) => get(key),
  };
}

export function show(reply: Reply) {
  return async (_request: unknown, outlet: Outlet): Promise<Reply> => {
    await outlet.show(reply, undefined);
    return reply;
  };
}
