import type { Batch, Ledger } from "./ledger.ts";
import type { Pending } from "./pending.ts";

export type Writing = {
  /** Writes what is left, once; resolves also where the ledger did not take it. */
  stop(): Promise<void>;
};

type WritingOptions = {
  readonly ledger: Ledger;
  readonly replica: string;
  readonly now: () => number;
  readonly onProblem?: (error: unknown) => void;
  readonly writeEveryMs?: number;
};

const tendEveryMs = 60_000;

/**
 * Writes what is pending again and again. What the ledger did not take is written again with the same id, before anything
 * that came since: so nothing counts twice where only the answer was lost.
 */
export function startWriting(pending: Pending, options: WritingOptions): Writing {
  const { ledger, replica, now, onProblem = () => undefined, writeEveryMs = 1_000 } = options;
  let owed: Batch | undefined;
  let batches = 0;
  let tendedMs = 0;
  let underWay = Promise.resolve();

  const pay = async (): Promise<void> => {
    if (owed === undefined) return;
    await ledger.write(owed);
    owed = undefined;
  };
  const write = async (): Promise<void> => {
    await pay();
    owed = pending.drain(`${replica}:${batches}`);
    batches += 1;
    await pay();
  };
  const tend = async (): Promise<void> => {
    if (now() - tendedMs < tendEveryMs) return;
    await ledger.tend(now());
    tendedMs = now();
  };
  const turn = (): Promise<void> => write().then(tend).catch(onProblem);
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    underWay = turn().finally(() => {
      isBusy = false;
    });
  }, writeEveryMs).unref();

  return {
    async stop() {
      clearInterval(timer);
      await underWay;
      await write().catch(onProblem);
    },
  };
}
