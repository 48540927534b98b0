import pino from "pino";
import type { Desk, Outlet } from "../../src/commands/desk.ts";
import type { Reply } from "../../src/commands/reply.ts";
import type { Press, Request } from "../../src/commands/request.ts";
import { type SandboxSlack, startSandboxSlack } from "../../src/sandbox/slack/server.ts";
import { type Slack, type SlackEvent, startSlack } from "../../src/slack/receive.ts";
import { card, note } from "./replies.ts";

type Run = (request: Request, outlet: Outlet) => Promise<Reply>;
type PressRun = (press: Press, outlet: Outlet) => Promise<Reply>;

/** The real edge on real Bolt against the Slack on loopback; the desk is the test's. */
export type Edge = {
  readonly sandbox: SandboxSlack;
  readonly slack: Slack;
  readonly requests: Request[];
  readonly presses: Press[];
  readonly turnedAway: { readonly request: Request | Press; readonly why: string }[];
  readonly events: SlackEvent[];
  readonly acks: number[];
  readonly logged: () => string;
  /** What the desk does with the next commands and presses. */
  does(run: Run): void;
  doesOnPress(run: PressRun): void;
  close(): Promise<void>;
};

type EdgeOptions = {
  readonly now?: () => number;
  /** Another way to the sandbox's Web API. */
  readonly apiUrl?: (sandbox: SandboxSlack) => Promise<string>;
  /** Whether to wait for the first connection. */
  readonly connected?: boolean;
};

export async function startEdge(options: EdgeOptions = {}): Promise<Edge> {
  const now = options.now ?? Date.now;
  const sandbox = await startSandboxSlack({ now });
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const seen = { requests: [] as Request[], presses: [] as Press[], turnedAway: [] as Edge["turnedAway"] };
  const events: SlackEvent[] = [];
  const acks: number[] = [];
  let run: Run = show(card());
  let press: PressRun = show(note("Pressed"));
  const desk: Desk = {
    understand: ({ text }) => ({ line: `Understood: ${text}`, operation: "q-7f3kabc" }),
    run: (request, outlet) => {
      seen.requests.push(request);
      return run(request, outlet);
    },
    press: (pressed, outlet) => {
      seen.presses.push(pressed);
      return press(pressed, outlet);
    },
    turnAway: async (request, why, outlet) => {
      seen.turnedAway.push({ request, why });
      return show(note(why))(request, outlet);
    },
  };
  const { botToken, appToken } = sandbox;
  const apiUrl = (await options.apiUrl?.(sandbox)) ?? sandbox.apiUrl;
  const config = { botToken, appToken, apiUrl, command: "/np", teams: undefined };
  const onEvent = (name: SlackEvent) => void events.push(name);
  const slack = startSlack(config, { desk, now, log, onAck: (ms) => void acks.push(ms), onEvent });
  if (options.connected !== false) await slack.ready;
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

export function show(reply: Reply) {
  return async (_request: unknown, outlet: Outlet): Promise<Reply> => {
    await outlet.show(reply, undefined);
    return reply;
  };
}
