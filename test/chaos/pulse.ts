import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "../../src/kubernetes/connection.ts";

/** What the control plane itself takes for a write, asked past every proxy, some times a second. */
export type Pulse = {
  /** The longest that one write took, or that this process stood still, in milliseconds. */
  longestMs(): number;
  stop(): Promise<void>;
};

const everyMs = 200;

/** Every fifth write is a real one; the others are dry runs, which go all the way but for the disk. */
export async function startPulse(admin: Connection, namespace: string): Promise<Pulse> {
  const stopping = new AbortController();
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
  await admin.request("POST", configMaps, { body: { metadata: { name: "pulse" } } });
  let longest = 0;
  let before = { wall: Date.now(), monotonic: performance.now() };
  /** By both clocks: where a machine is paused, one of them may not go on, and the other jump. */
  const since = (): number => {
    const now = { wall: Date.now(), monotonic: performance.now() };
    const passed = Math.max(now.wall - before.wall, now.monotonic - before.monotonic);
    before = now;
    return passed;
  };
  const beating = (async () => {
    for (let beat = 0; !stopping.signal.aborted; beat += 1) {
      since();
      const body = { metadata: { annotations: { beat: `${beat}` } } };
      const query = { dryRun: beat % 5 === 0 ? undefined : "All" };
      const options = { body, query, contentType: "application/merge-patch+json", timeoutMs: 60_000 };
      await admin.request("PATCH", `${configMaps}/pulse`, options).catch(() => undefined);
      longest = Math.max(longest, since());
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      // A process that stood still says so too.
      longest = Math.max(longest, since() - everyMs);
    }
  })();
  return {
    longestMs: () => Math.round(longest),
    async stop() {
      stopping.abort();
      await beating;
    },
  };
}
