import { setTimeout as delay } from "node:timers/promises";

/** Asks until the condition returns something truthy, and returns that; throws when `timeoutMs` (10 s, half of what a test has) has passed. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20 } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not so within ${timeoutMs} ms: ${condition.toString().slice(0, 200)}`);
    await delay(everyMs);
  }
}
