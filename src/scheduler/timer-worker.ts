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

/** `onError` and `onRecovery` tell of claiming: Redis does not answer, and does so again. */
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
/** It claims no oftener, so that many at once come in few claims. */
const breathMs = 4;
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
    if (free === 0) return breathMs;
    const claiming = timers.claim(free);
    // Both go out at once, this one after the claim; what was claimed counts also where it fails.
    const asking = timers.nextInMs().catch(() => undefined);
    for (const timer of await claiming) work.begin(timer);
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
function createWork(timers: Timers, handle: TimerHandler, { onFailure, handleWithinMs = 60_000 }: TimerWorkerOptions) {
  const jobs = new Map<Claim, Promise<void>>();
  const renewing = setInterval(() => [...jobs.keys()].forEach((claim) => void claim.renew()), renewEveryMs).unref();

  const carryOut = async (claim: Claim): Promise<void> => {
    const { timer } = claim;
    try {
      const again = await withLimit(handle(timer, claim), handleWithinMs);
      await claim.end(() => (again === undefined ? timers.done(timer) : timers.again(timer, again)));
    } catch (error) {
      onFailure(timer, error);
      // Where even this cannot be stored the claim lapses, and it is tried again then.
      await claim.end(() => timers.retry(timer, backoffMs(timer.attempt))).catch(() => undefined);
    }
    jobs.delete(claim);
  };
  return {
    count: () => jobs.size,
    begin(timer: Claimed): void {
      const claim = createClaim(timers, timer, onFailure);
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

function createClaim(timers: Timers, timer: Claimed, onFailure: TimerWorkerOptions["onFailure"]): Claim {
  let holds = true;
  const renew = async (): Promise<void> => {
    if (!holds) return;
    try {
      if (!(await timers.renew(timer))) holds = false;
    } catch (error) {
      onFailure(timer, error);
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

async function withLimit<T>(work: Promise<T>, ms: number): Promise<T> {
  const limit = new AbortController();
  const late = delay(ms, undefined, { signal: limit.signal, ref: false }).then(() => {
    throw new Error(`it did not end within ${ms} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    limit.abort();
    late.catch(() => undefined);
  }
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;

/** Doubles with each attempt; between half of it and all of it, so that what failed together does not come together. */
function backoffMs(attempt: number): number {
  const pause = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
  return pause * (0.5 + Math.random() / 2);
}
