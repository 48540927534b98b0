import type { Bot } from "../../src/sandbox/bot-process.ts";

/** What a process held at one moment, in bytes: `heap` is what is still there after a collection. */
export type Memory = { readonly rss: number; readonly heap: number };

/** For the environment of whatever memoryOf looks at. An address, since spaces in a path would end the option. */
export const measured = {
  NODE_OPTIONS: `--expose-gc --import=${new URL("collect-garbage.mjs", import.meta.url).href}`,
};

/**
 * From the process's own metrics; undefined where it does not answer. Garbage is collected first: V8 lets tens of MiB of
 * it lie where a machine has much memory, and how much says nothing of what a process holds.
 */
export async function memoryOf(bot: Bot | undefined): Promise<Memory | undefined> {
  if (bot === undefined) return undefined;
  try {
    process.kill(bot.pid, "SIGUSR2");
    // A signal is handled between two turns of the loop: whoever answered once since has handled it.
    await fetch(`${bot.url}/livez`);
    return parse(await (await fetch(`${bot.url}/metrics`)).text());
  } catch {
    return undefined;
  }
}

function parse(metrics: string): Memory | undefined {
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1] ?? Number.NaN);
  const memory = { rss: value("process_resident_memory_bytes"), heap: value("nodejs_heap_size_used_bytes") };
  return Number.isNaN(memory.rss + memory.heap) ? undefined : memory;
}

/** Medians of the second and of the last quarter: the first one warms up. */
export function quarters(samples: readonly Memory[]): { readonly second: Memory; readonly last: Memory } {
  const part = (from: number, to: number) =>
    samples.slice(Math.floor(samples.length * from), Math.floor(samples.length * to));
  return { second: medians(part(0.25, 0.5)), last: medians(part(0.75, 1)) };
}

function medians(samples: readonly Memory[]): Memory {
  return { rss: median(samples.map(({ rss }) => rss)), heap: median(samples.map(({ heap }) => heap)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
