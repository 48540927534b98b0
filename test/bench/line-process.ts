import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process of a file beside this one that answers in lines, and ends when its standard input does. */
export function startProcess(file: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ["--expose-gc", path, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("a process without output");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = once(child, "exit");
  return {
    async line(): Promise<string> {
      const next = await lines.next();
      if (next.done) throw new Error(`${file} ended`);
      return next.value;
    },
    ask: () => void child.stdin?.write("\n"),
    async stop(): Promise<void> {
      child.stdin?.end();
      await ended;
    },
  };
}
