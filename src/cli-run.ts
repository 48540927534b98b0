import { randomUUID } from "node:crypto";
import type { Invocation } from "./cli-arguments.ts";
import { type Command, isWriting } from "./commands/command.ts";
import type { Desk, Outlet } from "./commands/desk.ts";
import type { Reply } from "./commands/reply.ts";
import type { Press, Request } from "./commands/request.ts";
import { createDesk } from "./commands/run.ts";
import { openTerminal, type Terminal, type TerminalOptions } from "./terminal.ts";

export type CliRun = Omit<TerminalOptions, "host"> & {
  readonly host: string;
  readonly command: Command;
  readonly invocation: Invocation;
  /** Progress, for the person who waits. */
  readonly progress: (line: string) => void;
  /** Asks at the terminal; undefined where standard input is none. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined;
  /** Shows a plan before the question. */
  readonly show: (reply: Reply) => void;
};

/** Runs one command from a terminal and returns its last reply, or the problems of the configuration. */
export async function runFromTerminal(run: CliRun): Promise<Reply | { readonly problems: readonly string[] }> {
  const terminal = await openTerminal(run);
  if ("problems" in terminal) return terminal;
  try {
    if (!terminal.connected && run.command.kind !== "help") {
      run.progress("Redis is not reached: operations are recorded in the cluster, and the bot adopts them.");
    }
    return await session(run, terminal);
  } finally {
    await terminal.close();
  }
}

async function session(run: CliRun, terminal: Terminal): Promise<Reply> {
  const desk = createDesk(terminal.services);
  const outlet = progressOutlet(run);
  const { command, invocation } = run;
  const writes = (isWriting(command) || command.kind === "approve") && !command.dryRun;
  if (!writes || invocation.confirmations > 0) {
    const reply = await desk.run(requestOf(run, terminal, invocation.words), outlet);
    return confirmed(run, { desk, outlet, terminal, reply, times: invocation.confirmations });
  }
  // One delivery, so one operation id: the same plan has the same hash, and only what was seen counts as confirmed.
  const { delivery } = origin(run, terminal);
  const same = isWriting(command) ? { delivery } : {};
  const asked = (words: readonly string[]): Request => ({ ...requestOf(run, terminal, words), ...same });
  const preview = await desk.run(asked([...invocation.words, "--dry-run"]), outlet);
  if (preview.outcome !== "ok") return preview;
  if (run.ask === undefined) return { ...preview, outcome: "needs-confirmation" };
  run.show(preview);
  if (!(await run.ask("Go on? [y/N] "))) return { ...preview, outcome: "needs-confirmation" };
  const reply = await desk.run(asked(invocation.words), outlet);
  return confirmed(run, { desk, outlet, terminal, reply, times: reply.planHash === preview.planHash ? 1 : 0 });
}

type Confirming = {
  readonly desk: Desk;
  readonly outlet: Outlet;
  readonly terminal: Terminal;
  readonly reply: Reply;
  readonly times: number;
};

/** Presses Confirm as often as --yes was given; what then still waits is cancelled, since nobody could press it. */
async function confirmed(run: CliRun, { desk, outlet, terminal, reply, times }: Confirming): Promise<Reply> {
  if (reply.operation === undefined || reply.outcome !== "needs-confirmation") return reply;
  const waiting = reply.buttons.find(({ action }) => action === "confirm" || action === "confirm-again");
  const press = (action: string) => desk.press(pressOf(run, terminal, action, reply.operation ?? ""), outlet);
  if (times > 0) {
    return confirmed(run, {
      desk,
      outlet,
      terminal,
      reply: await press(waiting?.action ?? "confirm"),
      times: times - 1,
    });
  }
  if (run.ask !== undefined) run.show(reply);
  const again = run.ask !== undefined && (await run.ask(`${reply.headline}. Confirm this? [y/N] `));
  if (again)
    return confirmed(run, { desk, outlet, terminal, reply: await press(waiting?.action ?? "confirm"), times: 0 });
  await press("cancel");
  return reply;
}

function requestOf(run: CliRun, terminal: Terminal, words: readonly string[]): Request {
  const text = words.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(" ");
  return { ...origin(run, terminal), text };
}

function pressOf(run: CliRun, terminal: Terminal, action: string, operation: string): Press {
  return { ...origin(run, terminal), action, operation, card: undefined };
}

function origin(run: CliRun, { principal, source }: Terminal): Omit<Request, "text"> {
  return { principal, source, channel: undefined, at: run.now(), delivery: `terminal:${randomUUID()}` };
}

/** A terminal has no card: only what takes a while is said meanwhile. */
function progressOutlet({ progress }: CliRun): Outlet {
  return {
    show(reply) {
      if (reply.headline.startsWith("Working")) progress(`${reply.headline} …`);
      return Promise.resolve({ card: undefined, reached: true });
    },
  };
}
