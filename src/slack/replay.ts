import { setTimeout as wait } from "node:timers/promises";
import type { Shelf } from "../scheduler/shelf.ts";

/** A signature is good for five minutes, and for one more where clocks differ; kept a while longer. */
const keepMs = 10 * 60_000;
const mostRemembered = 20_000;
/** Slack waits three seconds for its answer: a store that does not answer is not waited for. */
const storeWithinMs = 300;

/**
 * Whether a signature is seen for the first time, by any replica. Where the shared store does not answer, this
 * replica's own memory decides; what is accepted then is deduped by its delivery all the same.
 */
export function createReplayGuard(
  shelf: Pick<Shelf, "first">,
  now: () => number,
): (signature: string) => Promise<boolean> {
  const seen = new Map<string, number>();
  return async (signature) => {
    forget(seen, now());
    if (seen.has(signature)) return false;
    seen.set(signature, now() + keepMs);
    const asked = shelf.first(`signature:${signature}`, keepMs).catch(() => true);
    return Promise.race([asked, wait(storeWithinMs, true, { ref: false })]);
  };
}

/** Oldest first, as they were put in. */
function forget(seen: Map<string, number>, now: number): void {
  for (const [signature, until] of seen) {
    if (until > now && seen.size < mostRemembered) return;
    seen.delete(signature);
  }
}
