import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { Agent } from "undici";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";

/** A process that reads all pods once, as the bot's cache does (`cache`) or bare (`bare`), and prints what that took. */
export type Reading = {
  /** From the first request until all is there. */
  readonly ms: number;
  /** Heap after a collection, less the heap before. */
  readonly heapMb: number;
  /** The longest time in which the event loop did not turn. */
  readonly stallMs: number;
};

const [how = "", text = ""] = process.argv.slice(2);
const connection = createConnection({ source: { kind: "text", text }, now: Date.now });
const { server, headers } = await connection.credentials();
// Everything is imported and compiled before the clock starts.
await connection.request("GET", "/api/v1/pods", { query: { limit: "20" } });
const before = heap();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const begun = performance.now();
const kept = await (how === "bare" ? readBare() : readCache());
const ms = performance.now() - begun;
delay.disable();
const reading: Reading = { ms, heapMb: heap() - before, stallMs: delay.max / 1e6 };
process.stdout.write(`${JSON.stringify(reading)}\n`);
if (kept === undefined) throw new Error("nothing was read");
process.exit(0);

/** Every kind, all namespaces: complete when each watch is synced. */
async function readCache(): Promise<unknown> {
  const cluster = await createCluster("bench", connection, { now: Date.now, watch: true });
  while (!cluster.watches().every(({ synced }) => synced)) await wait(1);
  return cluster;
}

/** The pods alone, page by page with undici and JSON.parse, kept as they come. */
async function readBare(): Promise<unknown> {
  const agent = new Agent({ allowH2: false });
  const items: unknown[] = [];
  for (let next: string | undefined = ""; next !== undefined; ) {
    const query = new URLSearchParams({ limit: "250", ...(next === "" ? {} : { continue: next }) }).toString();
    const response = await agent.request({ origin: server, path: `/api/v1/pods?${query}`, method: "GET", headers });
    const page = JSON.parse(await response.body.text()) as { items: unknown[]; metadata: { continue?: string } };
    items.push(...page.items);
    next = page.metadata.continue || undefined;
  }
  return items;
}

/** MiB in use after a full collection (the process runs with --expose-gc). */
function heap(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
