import { setImmediate } from "node:timers/promises";
import type { Redis } from "ioredis";
import {
  againScript,
  claimScript,
  doneScript,
  ensureScript,
  nextScript,
  overdueScript,
  removeScript,
  renewScript,
  retryScript,
  setScript,
  timersKey,
} from "./timer-scripts.ts";

/** Something that must happen later; the payload is whoever's it is who handles it. */
export type Timer = { readonly id: string; readonly payload: string };

/** A timer that is due, and the right to carry it out until the claim lapses; no generation is ever given twice. */
export type Claimed = Timer & {
  readonly generation: number;
  /** Milliseconds since the epoch, by Redis' clock. What is tried again stays due since when it was. */
  readonly dueAt: number;
  /** How long after that it was claimed. */
  readonly lateMs: number;
  /** From 1; a claim that lapsed counts too. */
  readonly attempt: number;
};

/**
 * What must happen later, shared by all replicas, by Redis' clock alone. At least once: who claims one has 4 s, and again
 * with each `renew`, after which it goes to whoever claims next. What ends a claim answers whether it still held: false
 * where another has claimed the timer since, or it was set anew or removed. Throws where the store cannot be reached.
 */
export type Timers = {
  /** To be due in so many milliseconds, from anew where it is there already, whatever is claimed: that claim ends. */
  set(timer: Timer, inMs: number): Promise<void>;
  /** Adds those that are not there, and answers how many those were. The others stay as they are. */
  ensure(timers: readonly TimerIn[]): Promise<number>;
  /** At most so many that are due, the most overdue first. */
  claim(limit: number): Promise<readonly Claimed[]>;
  renew(claimed: Claimed): Promise<boolean>;
  /** It went wrong: to be claimed again in so many milliseconds, by whichever replica. */
  retry(claimed: Claimed, inMs: number): Promise<boolean>;
  /** It went well, and is due once more in so many milliseconds. */
  again(claimed: Claimed, inMs: number): Promise<boolean>;
  done(claimed: Claimed): Promise<boolean>;
  /** Whether it is claimed or not. */
  remove(id: string): Promise<void>;
  /** In how many milliseconds there will be something to claim; 0 or less where there is; undefined without a timer. */
  nextInMs(): Promise<number | undefined>;
  /** How many there are, those that are claimed among them. */
  count(): Promise<number>;
  /** Since how many milliseconds the one that has waited longest is due, claimed or not; 0 where none is. */
  oldestOverdueMs(): Promise<number>;
};

export type TimerIn = { readonly timer: Timer; readonly inMs: number };

/** How many one script adds: a longer one would keep all other commands waiting. */
const ensuredAtOnce = 500;

export function createTimers(redis: Redis): Timers {
  const held = async (script: string, { id, generation }: Claimed, ...more: readonly number[]): Promise<boolean> =>
    (await redis.eval(script, 0, id, generation, ...more)) === 1;
  return {
    async set({ id, payload }, inMs) {
      await redis.eval(setScript, 0, id, whole(inMs), payload);
    },
    async ensure(timers) {
      let missing = 0;
      for (let at = 0; at < timers.length; at += ensuredAtOnce) {
        const some = timers.slice(at, at + ensuredAtOnce);
        const values = some.flatMap(({ timer, inMs }) => [timer.id, whole(inMs), timer.payload]);
        missing += Number(await redis.eval(ensureScript, 0, ...values));
      }
      return missing;
    },
    claim: async (limit) => claimedOf((await redis.eval(claimScript, 0, limit)) as (string | number)[]),
    renew: (claimed) => held(renewScript, claimed),
    retry: (claimed, inMs) => held(retryScript, claimed, whole(inMs)),
    again: (claimed, inMs) => held(againScript, claimed, whole(inMs)),
    done: together(async (all) => {
      const ended = await redis.eval(doneScript, 0, ...all.flatMap(({ id, generation }) => [id, generation]));
      return (ended as number[]).map((one) => one === 1);
    }),
    async remove(id) {
      await redis.eval(removeScript, 0, id);
    },
    async nextInMs() {
      const next = await redis.eval(nextScript, 0);
      return next === null ? undefined : Number(next);
    },
    count: () => redis.zcard(timersKey),
    oldestOverdueMs: async () => Number(await redis.eval(overdueScript, 0)),
  };
}

/** Scores are whole milliseconds; one that is none would be refused by Redis in the middle of a script. */
function whole(inMs: number): number {
  if (!Number.isFinite(inMs)) throw new Error(`a timer cannot be due in ${inMs} ms`);
  return Math.ceil(inMs);
}

/** Joins calls of one moment into one: what was claimed together often ends together, up to ten thousand a second. */
function together<From, To>(all: (inputs: readonly From[]) => Promise<readonly To[]>): (input: From) => Promise<To> {
  let inputs: From[] = [];
  let outputs: Promise<readonly To[]> | undefined;
  const send = async (): Promise<readonly To[]> => {
    await setImmediate();
    const now = inputs;
    [inputs, outputs] = [[], undefined];
    return all(now);
  };
  return async (input) => {
    const index = inputs.push(input) - 1;
    outputs ??= send();
    const output = (await outputs)[index];
    if (output === undefined) throw new Error("Redis answered for fewer than it was asked");
    return output;
  };
}

const fields = 6;

function claimedOf(reply: readonly (string | number)[]): readonly Claimed[] {
  return Array.from({ length: reply.length / fields }, (_, index) => {
    const [id, payload, generation, dueAt, now, attempt] = reply.slice(index * fields, (index + 1) * fields);
    return {
      id: String(id),
      payload: String(payload),
      generation: Number(generation),
      dueAt: Number(dueAt),
      lateMs: Number(now) - Number(dueAt),
      attempt: Number(attempt),
    };
  });
}
