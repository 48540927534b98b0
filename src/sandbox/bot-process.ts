import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const entryPoint = fileURLToPath(new URL("../main.ts", import.meta.url));

export type BotOptions = {
  /** The Node executable that runs it. */
  readonly node: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Each line of its standard output and standard error. */
  readonly onLine?: (line: string) => void;
  /** From its start to the first yes of /readyz. Default 40 000: less than the minute that a test's hook has, which would leave it behind. */
  readonly readyWithinMs?: number;
};

export type Bot = {
  readonly pid: number;
  /** Where /livez, /readyz and /metrics are. */
  readonly url: string;
  /** Standard output so far: JSON lines, the copies of the audit among them. */
  readonly lines: readonly string[];
  /** SIGTERM, and resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
};

/** Starts the real bot as a process of its own; resolves when /readyz says yes, rejects where it ends or is too late. */
export async function startBot(options: BotOptions): Promise<Bot> {
  const lines: string[] = [];
  const child = spawn(options.node, [entryPoint], {
    env: { ...options.env, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const port = listen(child, (line) => {
    lines.push(line);
    options.onLine?.(line);
  });
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  const died = ended.then((code) => {
    throw new Error(`the bot ended with ${code} before it was ready:\n${lines.slice(-5).join("\n")}`);
  });
  try {
    const url = await Promise.race([readyAt(port, options.readyWithinMs ?? 40_000), died]);
    died.catch(() => undefined);
    return {
      pid: child.pid ?? 0,
      url,
      lines,
      stop: () => end("SIGTERM"),
      kill: async () => void (await end("SIGKILL")),
    };
  } catch (error) {
    died.catch(() => undefined);
    await end("SIGKILL");
    throw error;
  }
}

/** Passes every line on; resolves with the port that the first line of the log names. */
function listen(child: ChildProcess, onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        onLine(line);
        const port = portIn(line);
        if (port !== undefined) resolve(port);
      });
    }
  });
}

function portIn(line: string): number | undefined {
  const found = /"port":(\d+).*"msg":"Bulkhead has started"/.exec(line);
  return found === null ? undefined : Number(found[1]);
}

/** The address, once /readyz there says yes. */
async function readyAt(port: Promise<number>, withinMs: number): Promise<string> {
  const giveUp = AbortSignal.timeout(withinMs);
  const late = once(giveUp, "abort").then(() => undefined);
  const found = await Promise.race([port, late]);
  const url = `http://127.0.0.1:${found}`;
  let missing = found === undefined ? "it has not said where it listens" : "";
  while (found !== undefined && !giveUp.aborted) {
    const answer = await fetch(`${url}/readyz`, { signal: giveUp }).catch(() => undefined);
    if (answer?.status === 200) return url;
    missing = (await answer?.text()) ?? missing;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
  throw new Error(`the bot was not ready within ${withinMs} ms: ${missing}`);
}
