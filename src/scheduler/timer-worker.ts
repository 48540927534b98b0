import { setTimeout as delay } from "node:timers/promises";
import type { SweepOptions } from "./sweep.ts";
import type { Claimed, Timers } from "./timers.ts";

/** A worker's right to carry one timer out. */
export type TimerHold = {
  /**
   * To be asked between what a write relies on and the write: false where another worker has taken the timer over, or it
   * was set or removed since, or the time for it has run out: then not one write more. While the store is away it lets
   * the work go on: whatever is done must bear being done by two at once.
   */
  check(): Promise<boolean>;
};

/** Carries it out; a number is when it is due once more, in milliseconds. Whatever it throws, it is tried again, for ever. */
export type TimerHandler = (timer: Claimed, hold: TimerHold) => Promise<number | undefined>;

/** `onError` and `onRecovery` tell of claiming and renewing: Redis does not answer, and does so again. */
export type TimerWorkerOptions = SweepOptions & {
  /** The handler threw, or did not end in time, or how it ended could not be stored. It is tried again. */
  readonly onFailure: (timer: Claimed, error: unknown) => void;
  /** How many are carried out at once. */
  readonly concurrency?: number;
  /** A handler that takes longer has failed: it must not keep its place for ever. */
  readonly handleWithinMs?: number;
};

export type TimerWorker = {
  /**
   * Claims no more, waits so long for what is under way (5 s), and lets others have what is not done by then: its holds
   * end. Never rejects.
   */
  stop(withinMs?: number): Promise<void>;
};

/** So often it looks, whatever it knows of the next one: others add timers. */
const pollMs = 100;
/** It claims no oftener, so that many at once come in few claims; where there was more than it could take, sooner. */
const breathMs = 4;
const shortBreathMs = 1;
const renewEveryMs = 1_000;

/**
 * Carries out what is due, on this replica beside all others, and for ever: no error ends it, none of a timer keeps
 * another waiting, and no clock of this machine decides anything.
 */
export function startTimerWorker(timers: Timers, handle: TimerHandler, options: TimerWorkerOptions): TimerWorker {
  const { concurrency = 50 } = options;
  const work = createWork(timers, handle, options);
  const ended = new AbortController();

  const claim = async (): Promise<number> => {
    const free = concurrency - work.count();
    if (free <= 0) return shortBreathMs;
    const claiming = timers.claim(free);
    // Both go out at once, this one after the claim; what was claimed counts also where it fails.
    const asking = timers.nextInMs().catch(() => undefined);
    const claimed = await claiming;
    for (const timer of claimed) work.begin(timer);
    if (claimed.length === free) return shortBreathMs;
    return Math.min(Math.max((await asking) ?? pollMs, breathMs), pollMs);
  };
  const run = async (): Promise<void> => {
    const round = tolerant(claim, options);
    while (!ended.signal.aborted) {
      const pause = await round();
      await delay(pause, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async stop(withinMs = 5_000) {
      ended.abort();
      await running;
      await work.stop(withinMs);
    },
  };
}

/** The round, or a pause where it failed; told as a sweep tells it. */
function tolerant(round: () => Promise<number>, { onError, onRecovery }: SweepOptions): () => Promise<number> {
  let isFailing = false;
  return async () => {
    try {
      const pause = await round();
      if (isFailing) onRecovery?.();
      isFailing = false;
      return pause;
    } catch (error) {
      onError(error, isFailing);
      isFailing = true;
      return pollMs;
    }
  };
}

/** What is under way on this replica; its claims are renewed. */
function createWork(timers: Timers, handle: TimerHandler, options: TimerWorkerOptions) {
  const { onFailure, handleWithinMs = 60_000 } = options;
  const jobs = new Map<Claim, Promise<void>>();
  const renewing = setInterval(() => [...jobs.keys()].forEach((claim) => void claim.renew()), renewEveryMs).unref();

  let handled = 0;
  const handleOne = async (claim: Claim): Promise<number | undefined> => {
    handled += 1;
    try {
      return await withLimit(handle(claim.timer, claim), handleWithinMs);
    } finally {
      handled -= 1;
    }
  };
  const carryOut = async (claim: Claim): Promise<void> => {
    const { timer } = claim;
    try {
      const again = await handleOne(claim);
      await claim.end(() => (again === undefined ? timers.done(timer) : timers.again(timer, again)));
    } catch (error) {
      onFailure(timer, error);
      // Where even this cannot be stored the claim lapses, and it is tried again then.
      await claim.end(() => timers.retry(timer, backoffMs(timer.attempt))).catch(() => undefined);
    }
    jobs.delete(claim);
  };
  return {
    /** How many handlers are at work; those whose end is being stored keep no place. */
    count: () => handled,
    begin(timer: Claimed): void {
      const claim = createClaim(timers, timer, options);
      jobs.set(claim, carryOut(claim));
    },
    async stop(withinMs: number): Promise<void> {
      await withLimit(Promise.all(jobs.values()), withinMs).catch(() => undefined);
      clearInterval(renewing);
      const left = [...jobs.keys()];
      await Promise.allSettled(left.map((claim) => claim.end(() => timers.retry(claim.timer, 0))));
    },
  };
}

type Claim = TimerHold & {
  readonly timer: Claimed;
  renew(): Promise<void>;
  /** Ends it in this way, unless it has ended. */
  end(how: () => Promise<boolean>): Promise<void>;
};

function createClaim(timers: Timers, timer: Claimed, { onError }: SweepOptions): Claim {
  let holds = true;
  const renew = async (): Promise<void> => {
    if (!holds) return;
    try {
      if (!(await timers.renew(timer))) holds = false;
    } catch (error) {
      // The next claim finds this too, and tells whether it is new.
      onError(error, true);
    }
  };
  return {
    timer,
    renew,
    async check() {
      await renew();
      return holds;
    },
    async end(how) {
      if (!holds) return;
      holds = false;
      await how();
    },
  };
}

/** Cheap, as there may be ten thousand a second. */
function withLimit<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`it did not end within ${ms} ms`)), ms).unref();
    void work.then(resolve, reject).finally(() => clearTimeout(limit));
  });
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;

/** Doubles with each attempt; between half of it and all of it, so that what failed together does not come together. */
function backoffMs(attempt: number): number {
  const pause = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
  return pause * (0.5 + Math.random() / 2);
}
