import { createGate } from "./gate.ts";

/** An object that is to end, as far as a timer goes by it. */
export type Followed = {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly operation: string;
  /** By the object alone and the API server's clock, milliseconds since the epoch. */
  readonly endsAt: number;
};

export type MemoryTimers = {
  /** Follows the object, or what is new of it. */
  put(followed: Followed): void;
  /** It is gone. */
  drop(uid: string): void;
  /** What is past its end is closed now, without waiting for the time that other nets are given. */
  hurry(uid: string): void;
  all(): readonly Followed[];
  /** No timer fires any more. */
  stop(): void;
};

export type MemoryOptions = {
  /** Closes it where its end has come; a number is when to look again, in milliseconds. Whatever it throws, it is tried again, for ever. */
  readonly close: (followed: Followed) => Promise<number | undefined>;
  /** How long until its end by the server's clock; 0 where that has passed, undefined where the clock is not known. */
  readonly untilEnd: (followed: Followed) => number | undefined;
  /** How much later than its end a timer fires. Default 2 to 5 s: the timers of Redis come first. */
  readonly graceMs?: () => number;
};

type Timer = { followed: Followed; timer: NodeJS.Timeout | undefined; isBusy: boolean; failures: number };

/** A longer delay than 24.8 days fires at once (Node's setTimeout); and after so long it looks at the clock anew. */
const longestMs = 60 * 60_000;
/** So many at once: each may open a connection. */
const concurrency = 20;

/** One timer for each object, in this process alone: it needs neither Redis nor anybody else. */
export function createMemoryTimers({ close, untilEnd, graceMs = usualGrace }: MemoryOptions): MemoryTimers {
  const timers = new Map<string, Timer>();
  const gate = createGate(concurrency);

  const arm = (one: Timer, inMs: number): void => wake(one, inMs, fire);
  const armForEnd = (one: Timer): void => arm(one, (untilEnd(one.followed) ?? 0) + graceMs());
  async function fire(one: Timer): Promise<void> {
    if (one.isBusy) return;
    const leftMs = untilEnd(one.followed) ?? 0;
    if (leftMs > 0) return armForEnd(one);
    one.isBusy = true;
    const nextMs = await gate(() => close(one.followed)).then(
      (againMs) => {
        one.failures = 0;
        return againMs;
      },
      () => backoffMs((one.failures += 1)),
    );
    one.isBusy = false;
    if (timers.get(one.followed.uid) !== one) return;
    if (nextMs === undefined) timers.delete(one.followed.uid);
    else arm(one, nextMs);
  }

  return {
    put(followed) {
      const known = timers.get(followed.uid);
      if (known?.followed.endsAt === followed.endsAt) return;
      const one = Object.assign(known ?? { timer: undefined, isBusy: false, failures: 0 }, { followed });
      timers.set(followed.uid, one);
      // One that is being closed is looked at again by what that comes to.
      if (!one.isBusy) armForEnd(one);
    },
    drop(uid) {
      clearTimeout(timers.get(uid)?.timer);
      timers.delete(uid);
    },
    hurry(uid) {
      const one = timers.get(uid);
      if (one !== undefined && one.failures === 0 && !one.isBusy) arm(one, untilEnd(one.followed) ?? 0);
    },
    all: () => [...timers.values()].map(({ followed }) => followed),
    stop() {
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

function wake(one: Timer, inMs: number, fire: (one: Timer) => Promise<void>): void {
  clearTimeout(one.timer);
  one.timer = setTimeout(() => void fire(one), Math.min(Math.max(inMs, 0), longestMs)).unref();
}

function usualGrace(): number {
  return 2_000 + Math.random() * 3_000;
}

/** Doubles up to 10 s; between half of it and all of it, so that what failed together does not come together. */
function backoffMs(failures: number): number {
  return Math.min(500 * 2 ** (failures - 1), 10_000) * (0.5 + Math.random() / 2);
}
