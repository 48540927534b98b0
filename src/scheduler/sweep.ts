/** Recurring work that was started. */
export type Sweep = {
  /** No further run begins; resolves when the one that is under way has ended. */
  stop(): Promise<void>;
};

export type SweepOptions = {
  /** What a run threw, and whether the one before it failed as well; the next one comes all the same. */
  readonly onError: (error: unknown, again: boolean) => void;
  /** A run went well after one that failed. */
  readonly onRecovery?: () => void;
};

/**
 * Does the work now, and again `everyMs` after each run has ended, so that a slow run is never overtaken by the next.
 * It does not keep the process alive between runs.
 */
export function startSweep(everyMs: number, work: () => Promise<void>, options: SweepOptions): Sweep {
  let stopped = false;
  let isFailing = false;
  let timer: NodeJS.Timeout | undefined;
  let run = Promise.resolve();

  const sweep = async (): Promise<void> => {
    try {
      await work();
      if (isFailing) options.onRecovery?.();
      isFailing = false;
    } catch (error) {
      options.onError(error, isFailing);
      isFailing = true;
    }
    if (!stopped) timer = setTimeout(begin, everyMs).unref();
  };
  const begin = (): void => {
    run = sweep();
  };

  begin();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return run;
    },
  };
}
