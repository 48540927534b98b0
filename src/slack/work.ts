import { setTimeout as wait } from "node:timers/promises";

/** Work that goes on after its acknowledgement. */
export type Work = {
  /** Starts it and returns at once; the promise tells its end and never rejects. */
  start(task: () => Promise<void>): Promise<void>;
  /** True when nothing is under way any more, false where that took longer than `timeoutMs`. */
  drain(timeoutMs: number): Promise<boolean>;
};

/** `onFailure` gets what a task was rejected with: nobody else waits for it. */
export function createWork(onFailure: (error: unknown) => void): Work {
  const underWay = new Set<Promise<void>>();

  async function idle(): Promise<true> {
    while (underWay.size > 0) await Promise.all(underWay);
    return true;
  }

  return {
    start(task) {
      const run = task()
        .catch(onFailure)
        .finally(() => underWay.delete(run));
      underWay.add(run);
      return run;
    },
    drain: (timeoutMs) => Promise.race([idle(), wait(timeoutMs, false as const, { ref: false })]),
  };
}
