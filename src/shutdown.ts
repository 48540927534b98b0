import { setTimeout as wait } from "node:timers/promises";

/** What ends the bot, in this order. None may keep those after it from being done. */
export type Ending = {
  /** Nothing new is taken; what is under way goes on. */
  stop(): Promise<unknown>;
  /** Writes what is only in memory; done twice, since what is still under way may add to it. */
  flush(): Promise<unknown>;
  /** Resolves when what is under way is done; what takes longer is taken over by another replica. */
  drain(withinMs: number): Promise<unknown>;
  close(): Promise<unknown>;
};

export type Limits = { readonly briefMs: number; readonly drainMs: number };

/** At most 35 s in all: the pod has 45 s (terminationGracePeriodSeconds), of which a preStop hook may take 5. */
const limits: Limits = { briefMs: 5_000, drainMs: 20_000 };

/** `problems`: what failed or was not done within its limit, as sentences. `drained`: nothing was under way any more. */
export type Ended = { readonly drained: boolean; readonly problems: readonly string[] };

/** Ends the bot in time. */
export async function shutDown(ending: Ending, { briefMs, drainMs }: Limits = limits): Promise<Ended> {
  const problems: string[] = [];
  const within = async (ms: number, what: string, work: () => Promise<unknown>): Promise<void> => {
    const problem = await outcomeOf(work, ms);
    if (problem !== undefined) problems.push(`${what}: ${problem}`);
  };
  await Promise.all([within(briefMs, "stop", () => ending.stop()), within(briefMs, "flush", () => ending.flush())]);
  await within(drainMs, "drain", () => ending.drain(drainMs));
  await within(briefMs, "flush", () => ending.flush());
  await within(briefMs, "close", () => ending.close());
  return { drained: !problems.some((problem) => problem.startsWith("drain: ")), problems };
}

/** Undefined where the work was done in time. */
async function outcomeOf(work: () => Promise<unknown>, ms: number): Promise<string | undefined> {
  const over = new AbortController();
  const late = wait(ms, `not done within ${ms} ms`, { signal: over.signal });
  const done = work().then(
    () => undefined,
    (error: unknown) => String(error),
  );
  const outcome = await Promise.race([done, late.catch(() => undefined)]);
  over.abort();
  return outcome;
}
