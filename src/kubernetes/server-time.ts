/** Bounds of the API server's clock, milliseconds since the epoch; it lies between them, the ends included. */
export type ServerTime = { readonly earliestMs: number; readonly latestMs: number };

/** When an exchange was sent and its answer had begun, by a monotonic clock, and the answer's Date header. */
export type Heard = { readonly dateMs: number; readonly sentAtMs: number; readonly heardAtMs: number };

/** What the answers of a cluster tell of its clock. */
export type ServerClock = {
  heard(answer: Heard): void;
  /** Undefined where no answer of the last two minutes bore a Date. */
  time(): ServerTime | undefined;
};

/** How much the server's clock is ahead of the monotonic one, as one answer bounds it. */
type Offset = { readonly lowMs: number; readonly highMs: number; readonly heardAtMs: number };

const windowMs = 2 * 60_000;
/** What is older than this and contradicts an answer speaks of a clock that was stepped, or of a server not heard any more. */
const contradictedMs = 10_000;
/** At many answers a second the newest tell as much as all. */
const mostKept = 200;
/** How much two clocks may part, in milliseconds per millisecond: an NTP client slews by half of that. */
const drift = 0.001;

/**
 * Bounds by the Date headers of recent answers and a monotonic clock. A Date is cut to whole seconds (RFC 9110, 5.6.7),
 * and was written between sending and hearing, so that each answer leaves a second and the way there open; intersected,
 * answers in different parts of a second leave little of it.
 *
 * Where answers contradict each other, the servers' clocks differ or one was stepped. Then the earliest bound is that of
 * the slowest clock and the latest that of the fastest one, of those that were heard within 10 s: nothing ends early by
 * any of them, and an answer from before a step does not count for longer.
 */
export function createServerClock(monotonic: () => number): ServerClock {
  let offsets: readonly Offset[] = [];
  return {
    heard({ dateMs, sentAtMs, heardAtMs }) {
      const next: Offset = { lowMs: dateMs - heardAtMs, highMs: dateMs + 1_000 - sentAtMs, heardAtMs };
      const kept = offsets.filter((offset) => isKept(offset, next));
      offsets = [...kept.slice(1 - mostKept), next];
    },
    time() {
      const now = monotonic();
      const known = offsets.filter(({ heardAtMs }) => now - heardAtMs <= windowMs).map((offset) => grown(offset, now));
      if (known.length === 0) return undefined;
      const lows = known.map(({ lowMs }) => lowMs);
      const highs = known.map(({ highMs }) => highMs);
      const slowest = Math.min(...highs);
      const fastest = Math.max(...lows);
      return {
        earliestMs: now + Math.max(...lows.filter((low) => low <= slowest)),
        latestMs: now + Math.min(...highs.filter((high) => high >= fastest)),
      };
    },
  };
}

function isKept(offset: Offset, next: Offset): boolean {
  const ageMs = next.heardAtMs - offset.heardAtMs;
  if (ageMs > windowMs) return false;
  const { lowMs, highMs } = grown(offset, next.heardAtMs);
  return ageMs <= contradictedMs || (lowMs <= next.highMs && next.lowMs <= highMs);
}

/** What it says of now: the clocks may have parted since. */
function grown({ lowMs, highMs, heardAtMs }: Offset, now: number): Offset {
  const slackMs = Math.max(0, now - heardAtMs) * drift;
  return { lowMs: lowMs - slackMs, highMs: highMs + slackMs, heardAtMs };
}
