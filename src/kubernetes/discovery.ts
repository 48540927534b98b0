import { setTimeout as wait } from "node:timers/promises";
import type { Connection } from "./connection.ts";
import { type Served, servedKinds } from "./served-kinds.ts";

export type Discovery = {
  /** Looks again soon, but never more than once a second. */
  hurry(): void;
  close(): Promise<void>;
};

const withinMs = 10_000;
const leastMs = 1_000;

/** Tells which policy kinds are served, at once and then every `everyMs`, give or take a fifth. `onServed` must not reject. */
export function watchServedKinds(
  connection: Connection,
  everyMs: number,
  onServed: (served: Served) => Promise<void>,
): Discovery {
  const closing = new AbortController();
  let hurried = new AbortController();

  async function discover(): Promise<void> {
    while (!closing.signal.aborted) {
      hurried = new AbortController();
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(withinMs)]);
      const served = await servedKinds(connection, signal);
      if (closing.signal.aborted) return;
      await onServed(served);
      await pause(everyMs * (0.8 + 0.4 * Math.random()));
    }
  }

  async function pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([closing.signal, hurried.signal]);
    await wait(Math.min(ms, leastMs), undefined, { signal: closing.signal }).catch(() => undefined);
    await wait(Math.max(0, ms - leastMs), undefined, { signal }).catch(() => undefined);
  }

  const discovering = discover();
  return {
    hurry: () => hurried.abort(),
    async close() {
      closing.abort();
      await discovering;
    },
  };
}
