import { setTimeout as delay } from "node:timers/promises";
import { unrecorded } from "./compare-policies.ts";
import type { History } from "./history/history.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import type { Sight } from "./policy/sight.ts";

export type RecorderOptions = {
  readonly history: History;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of each failure to reach the history; it is tried again. */
  readonly onError: (error: unknown, again: boolean) => void;
  readonly onRecovery?: () => void;
  /** Told of what is recorded and cannot be read: it is left as it is. */
  readonly onProblem?: (error: unknown) => void;
  /** Told how long after it was seen a change was recorded, milliseconds. */
  readonly onRecorded?: (lagMs: number) => void;
  /** More sights wait than may: they are forgotten, and what is there is compared instead. */
  readonly onOverflow?: () => void;
  /** What tells the cluster from another one of its name; undefined where nobody can say. */
  readonly identity?: () => Promise<string | undefined>;
  /** How many may wait. */
  readonly mostWaiting?: number;
};

export type Recorder = {
  /** Compares what the watch knows with what is recorded, soon. */
  compare(): void;
  /** Sights that are not recorded yet. */
  waiting(): number;
  /** Whether everything that was seen is recorded, and what was listed compared. */
  isIdle(): boolean;
  /** What waits is still told if that takes no longer than a second. */
  stop(): Promise<void>;
};

const defaultMostWaiting = 10_000;
const toldAtOnce = 100;
const longestPauseMs = 5_000;
/** Lists of several kinds come together. */
const compareAfterMs = 100;

/**
 * Tells the history what the watch of one cluster sees, in its order, and tries again while the store is away. What a first
 * list finds is compared with what is recorded, and only what differs is told.
 */
export function startRecorder(cluster: Pick<Cluster, "name" | "followPolicies">, options: RecorderOptions): Recorder {
  const work = createWork(cluster, options);
  let comparing: NodeJS.Timeout | undefined;
  const compare = (): void => {
    work.mustCompare();
    comparing ??= setTimeout(() => {
      comparing = undefined;
      work.begin();
    }, compareAfterMs).unref();
  };
  const unfollow = cluster.followPolicies({
    onSights: (sights) => work.add(sights.filter((sight) => !isFirstOfList(sight))),
    onListed: compare,
  });
  return {
    compare,
    waiting: work.waiting,
    isIdle: work.isIdle,
    async stop() {
      unfollow();
      clearTimeout(comparing);
      await Promise.race([work.end(), delay(1_000, undefined, { ref: false })]);
    },
  };
}

/** What is to be told, and whether there is to be a comparison. */
function createWork(cluster: Pick<Cluster, "name" | "followPolicies">, options: RecorderOptions) {
  const { history, now, onOverflow, onProblem = () => undefined, mostWaiting = defaultMostWaiting } = options;
  const teller = createTeller(options);
  let queue: Sight[] = [];
  let mustCompare = false;

  const tellSome = async (): Promise<void> => {
    const some = queue.slice(0, teller.size());
    await teller.tell(some);
    // Where it overflowed meanwhile these are others, and a comparison finds what they were.
    if (queue[0] === some[0]) queue.splice(0, some.length);
  };
  const compare = async (): Promise<void> => {
    mustCompare = false;
    try {
      const identity = await options.identity?.();
      if (identity !== undefined) await history.beginAnewIfOther(cluster.name, identity);
      queue.push(...(await unrecorded(cluster, history, { now: now(), onProblem })));
    } catch (error) {
      mustCompare = true;
      throw error;
    }
  };
  const isLeft = (): boolean => queue.length > 0 || mustCompare;
  const runner = createRunner(isLeft, () => teller.attempt(queue.length > 0 ? tellSome : compare), teller.pauseMs);

  return {
    ...runner,
    mustCompare: () => void (mustCompare = true),
    add(sights: readonly Sight[]): void {
      queue.push(...sights);
      if (queue.length > mostWaiting) {
        [queue, mustCompare] = [[], true];
        onOverflow?.();
      }
      runner.begin();
    },
    waiting: () => queue.length,
    isIdle: () => !isLeft() && !runner.isRunning(),
  };
}

/** Takes one step after the other while any is left; `step` answers whether it failed. */
function createRunner(isLeft: () => boolean, step: () => Promise<boolean>, pauseMs: () => number) {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    while (isLeft()) {
      const failed = await step();
      if (failed && stopping.signal.aborted) break;
      if (failed) await delay(pauseMs(), undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
    running = undefined;
  };
  return {
    begin(): void {
      if (isLeft()) running ??= run();
    },
    isRunning: () => running !== undefined,
    /** After the first failure it ends, whatever is left. */
    end(): Promise<void> {
      stopping.abort();
      return running ?? Promise.resolve();
    },
  };
}

/** A comparison tells what is new of those, in one go with what is not. */
function isFirstOfList(sight: Sight): boolean {
  return sight.kind === "there" && !sight.continuous && sight.previous === undefined;
}

/** Tells less at once after a failure, as large objects may be why, and waits longer. */
function createTeller({ history, now, onError, onRecovery, onRecorded }: RecorderOptions) {
  let failures = 0;
  return {
    size: () => Math.max(1, Math.floor(toldAtOnce / 2 ** failures)),
    pauseMs: () => Math.min(longestPauseMs, 100 * 2 ** failures),
    /** Answers whether it failed. */
    async attempt(work: () => Promise<void>): Promise<boolean> {
      try {
        await work();
        if (failures > 0) onRecovery?.();
        failures = 0;
        return false;
      } catch (error) {
        onError(error, failures > 0);
        failures += 1;
        return true;
      }
    },
    async tell(sights: readonly Sight[]): Promise<void> {
      await history.saw(sights);
      for (const { continuous, at } of sights) if (continuous) onRecorded?.(now() - at);
    },
  };
}
