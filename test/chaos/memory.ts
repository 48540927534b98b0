import type { Bot } from "../../src/sandbox/bot-process.ts";

/** What a process used at one moment, in bytes. */
export type Memory = { readonly rss: number; readonly heap: number };

/** From the process's own metrics; undefined where it does not answer. */
export async function memoryOf(bot: Bot | undefined): Promise<Memory | undefined> {
  const metrics = await fetch(`${bot?.url}/metrics`).then(
    (answer) => answer.text(),
    () => "",
  );
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
