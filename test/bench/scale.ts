import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Reading } from "./scale-reader.ts";

const rounds = 5;

/** Each way in several processes, in turns, against one sandbox cluster in another. */
export async function measureScale(): Promise<{
  readonly cache: readonly Reading[];
  readonly bare: readonly Reading[];
}> {
  const server = spawn(process.execPath, [fileOf("scale-server.ts")], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(server, "exit");
  try {
    const [line] = (await once(createInterface(server.stdout), "line")) as [string];
    const kubeconfig = JSON.parse(line) as string;
    const cache: Reading[] = [];
    const bare: Reading[] = [];
    for (let round = 0; round < rounds; round += 1) {
      cache.push(await read("cache", kubeconfig));
      bare.push(await read("bare", kubeconfig));
    }
    return { cache, bare };
  } finally {
    server.stdin.end();
    await ended;
  }
}

async function read(how: "cache" | "bare", kubeconfig: string): Promise<Reading> {
  const args = ["--expose-gc", fileOf("scale-reader.ts"), how, kubeconfig];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(await text(child.stdout)) as Reading;
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
