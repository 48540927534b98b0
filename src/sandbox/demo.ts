import type { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { openConsole } from "./console.ts";
import { converse } from "./conversation.ts";
import { keepPictures } from "./kept-pictures.ts";
import { playTour } from "./tour.ts";
import { startWorld } from "./world.ts";

/** What the demo may use of the process that runs it. */
export type DemoTerminal = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly node: string;
  readonly input: Readable;
  /** Whether a person can type. */
  readonly interactive: boolean;
  readonly width: number;
  readonly write: (text: string) => void;
  /** Registers what is to be done on the first Ctrl-C or SIGTERM. */
  readonly onSignal: (stop: (signal: StopSignal) => void) => void;
};

export type StopSignal = "SIGINT" | "SIGTERM";

/** 128 and the signal's number, as shells have it. */
const exitCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

const channel = "C0INCIDENT";

/**
 * `demo [--tour] [--pictures FOLDER]`: the whole world in one terminal. Where nobody can type, the tour plays. Resolves with the
 * exit code; after a signal, when all that was started has ended.
 */
export async function runDemo(args: readonly string[], terminal: DemoTerminal): Promise<number> {
  const asked = askedFor(args);
  if (typeof asked === "string") return complain(terminal, asked);
  const redisUrl = terminal.env["REDIS_URL"];
  if (redisUrl === undefined) return complain(terminal, "REDIS_URL is not set: npm run demo starts a Redis by itself");
  const { stopped, signal } = stopOn(terminal);
  const world = await startWorld({ ...terminal, redisUrl, traffic: true });
  const { slack } = world;
  const console = openConsole({ slack, channel, width: terminal.width, write: terminal.write });
  const { pictures: folder } = asked;
  const stopKeeping = folder === undefined ? undefined : keepPictures({ slack, folder, write: terminal.write });
  try {
    const plays = asked.tour || !terminal.interactive;
    if (signal.aborted) return await stopped;
    const played = plays
      ? playTour({ ...terminal, world, console })
      : converse({ ...terminal, world, console, signal });
    return await Promise.race([stopped, played]);
  } finally {
    stopKeeping?.();
    console.close();
    await world.close();
  }
}

type Asked = { readonly tour: boolean; readonly pictures: string | undefined };

/** What is wrong with them, where something is. */
function askedFor(args: readonly string[]): Asked | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { tour: { type: "boolean" }, pictures: { type: "string" } },
    });
    return { tour: values.tour === true, pictures: values.pictures };
  } catch {
    return `demo takes --tour and --pictures FOLDER, not ${args.join(" ")}`;
  }
}

/** `stopped` resolves with the exit code; registered before anything is started, so that nothing is left behind. */
function stopOn({ onSignal, write }: DemoTerminal): {
  readonly stopped: Promise<number>;
  readonly signal: AbortSignal;
} {
  const stopping = new AbortController();
  const { promise: stopped, resolve } = Promise.withResolvers<number>();
  onSignal((signal) => {
    write(`\nStopped by ${signal}: everything that the demo started ends now.\n`);
    stopping.abort();
    resolve(exitCodes[signal]);
  });
  return { stopped, signal: stopping.signal };
}

function complain({ write }: DemoTerminal, problem: string): number {
  write(`bulkhead: ${problem}\n`);
  return 2;
}
