import { setTimeout as wait } from "node:timers/promises";
import { webApi } from "@slack/bolt";
import { refusal } from "./calls.ts";
import { errorText, type Log } from "./logger.ts";

/**
 * What came of an update: `gone` where there is nothing to update any more, `failed` where Slack will not take it
 * however often it is sent, `pending` where it is sent again in the background until Slack takes it.
 */
export type Updated = "done" | "gone" | "failed" | "pending";

export type UpdateEvent = "update-delayed" | "update-given-up";

export type Updates<Value> = {
  /**
   * Brings what the key names to the value. One call at a time for a key, and of the values that wait only the latest is
   * sent. Answers within `patienceMs`; never rejects.
   */
  update(key: string, value: Value): Promise<Updated>;
  /** True when nothing is under way or waits to be sent again, false where that took longer than `timeoutMs`. */
  drain(timeoutMs: number): Promise<boolean>;
};

export type UpdateOptions<Value> = {
  /** One call; throws what Slack answered. */
  readonly send: (key: string, value: Value) => Promise<"done" | "gone">;
  /**
   * What stands instead of a value by the time it is sent again: another replica may have gone on meanwhile. Where it
   * throws the value is sent as it was.
   */
  readonly refresh?: (value: Value) => Promise<Value>;
  /** How long whoever shows something is kept waiting. */
  readonly patienceMs: number;
  /** For how long an update is sent again, from its first failure. */
  readonly giveUpAfterMs: number;
  readonly log: Log;
  readonly onEvent: (name: UpdateEvent) => void;
};

type Entry<Value> = {
  readonly value: Value;
  readonly settled: PromiseWithResolvers<Updated>;
  /** It was sent before, and was not taken. */
  readonly again?: true;
};

/** The latest value of a key that was not sent yet. */
type Line<Value> = { next: Entry<Value> | undefined };

const longestPauseMs = 30_000;

/**
 * Updates that nobody has to wait for. A rate limit holds for the method: when one update meets it, the others wait as
 * well instead of using it up.
 */
export function createUpdates<Value>(options: UpdateOptions<Value>): Updates<Value> {
  const lines = new Map<string, Line<Value>>();
  const running = new Set<Promise<void>>();
  const limit = { until: 0 };

  function update(key: string, value: Value): Promise<Updated> {
    const line: Line<Value> = lines.get(key) ?? { next: undefined };
    const settled = line.next?.settled ?? Promise.withResolvers<Updated>();
    line.next = { value, settled };
    if (!lines.has(key)) {
      lines.set(key, line);
      const run = runLine(key, line, limit, { ...options, onIdle: () => lines.delete(key) });
      running.add(run);
      void run.finally(() => running.delete(run));
    }
    return Promise.race([settled.promise, wait(options.patienceMs, "pending" as const, { ref: false })]);
  }

  async function idle(): Promise<true> {
    while (running.size > 0) await Promise.all(running);
    return true;
  }

  return { update, drain: (timeoutMs) => Promise.race([idle(), wait(timeoutMs, false as const, { ref: false })]) };
}

async function runLine<Value>(
  key: string,
  line: Line<Value>,
  limit: { until: number },
  options: UpdateOptions<Value> & { readonly onIdle: () => void },
): Promise<void> {
  let trouble = { failures: 0, since: 0 };
  for (let entry = take(line); entry !== undefined; entry = take(line)) {
    await limitOver(limit);
    entry = newer(line, entry);
    const result = await attempt(key, await current(entry, options), limit, options);
    const { failures, since } = trouble;
    trouble = { failures: 0, since: 0 };
    if (typeof result === "string") entry.settled.resolve(result);
    else if (failures > 0 && performance.now() - since >= options.giveUpAfterMs) {
      giveUp(result.error, options);
      entry.settled.resolve("failed");
    } else {
      if (failures === 0) options.onEvent("update-delayed");
      trouble = { failures: failures + 1, since: failures === 0 ? performance.now() : since };
      const next = newer(line, entry);
      line.next = next === entry ? { ...entry, again: true } : next;
      if (!result.limited) await wait(backoffMs(trouble.failures));
    }
  }
  options.onIdle();
}

function take<Value>(line: Line<Value>): Entry<Value> | undefined {
  const { next } = line;
  line.next = undefined;
  return next;
}

/** What came meanwhile, and whoever waited for the older value waits for that one; else the same again. */
function newer<Value>(line: Line<Value>, entry: Entry<Value>): Entry<Value> {
  const next = take(line);
  if (next === undefined) return entry;
  entry.settled.resolve(next.settled.promise);
  return next;
}

async function current<Value>({ value, again }: Entry<Value>, { refresh }: UpdateOptions<Value>): Promise<Value> {
  return again === undefined || refresh === undefined ? value : refresh(value).catch(() => value);
}

/** A little apart, so that what waited for one limit does not meet the next one all at once. */
async function limitOver(limit: { until: number }): Promise<void> {
  for (let left = limit.until - performance.now(); left > 0; left = limit.until - performance.now()) {
    await wait(left + Math.random() * 250);
  }
}

/** How it ended, or that it is worth another try. */
async function attempt<Value>(
  key: string,
  value: Value,
  limit: { until: number },
  { send, log, onEvent }: UpdateOptions<Value>,
): Promise<"done" | "gone" | "failed" | { readonly error: unknown; readonly limited: boolean }> {
  try {
    return await send(key, value);
  } catch (error) {
    const limited = error instanceof webApi.WebAPIRateLimitedError;
    if (limited) limit.until = Math.max(limit.until, performance.now() + error.retryAfter * 1_000);
    if (limited || mayPass(error)) return { error, limited };
    log.error({ error: errorText(error) }, "Slack did not take an update");
    onEvent("update-given-up");
    return "failed";
  }
}

/** Slack's words for a trouble of its own; anything else that it says in order will be said again. */
const passing = new Set([
  "fatal_error",
  "internal_error",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
  "ratelimited",
]);

function mayPass(error: unknown): boolean {
  const why = refusal(error);
  return why === undefined || passing.has(why);
}

function giveUp<Value>(error: unknown, { log, onEvent }: UpdateOptions<Value>): void {
  log.error({ error: errorText(error) }, "an update was given up: Slack did not take it for minutes");
  onEvent("update-given-up");
}

function backoffMs(failures: number): number {
  return Math.min(longestPauseMs, 250 * 2 ** failures) * (0.75 + Math.random() / 4);
}
