import fc from "fast-check";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import type { Claimed, Timers } from "../../src/scheduler/timers.ts";

/** In steps of `stepMs`, which no run of a test outlasts: 0 or less is now, more is not in this test. */
type Step = number;
const stepMs = 10_000_000;

type ModelTimer = { due: Step; visible: Step; payload: string; claim: Claim | undefined; attempts: number };
/** A claim that was made; it holds as long as it is the one of its timer. */
type Claim = { readonly claimed: Claimed };

/** What the queue is, without Redis and without a clock. */
export type TimerModel = { timers: Map<string, ModelTimer>; claims: Claim[] };
export type RealTimers = { readonly timers: Timers; readonly elsewhere: Timers; readonly redis: Redis };

type Command = fc.AsyncCommand<TimerModel, RealTimers>;

const ids = fc.constantFrom("a", "b", "c", "d", "e");
const steps = fc.integer({ min: -5, max: 2 });
const nth = fc.nat({ max: 20 });
/** A claim ends after now, and before the next step; one that lapsed, after what was due a step ago. */
const leased = 0.5;
const lapsed = -0.25;

/** Each compares what Redis answers with what the model says. */
export const timerCommands: fc.Arbitrary<Command>[] = [
  fc.tuple(ids, steps, fc.string()).map(([id, due, payload]) => set(id, due, payload)),
  fc.array(fc.tuple(ids, steps), { maxLength: 5 }).map(ensure),
  fc.integer({ min: 1, max: 4 }).map(claim),
  fc.integer({ min: 1, max: 4 }).map(claim),
  nth.map((n) => withClaim(`renew ${n}`, n, (timers, one) => timers.renew(one), renewed)),
  nth.map((n) => withClaim(`done ${n}`, n, (timers, one) => timers.done(one), forgotten)),
  fc.tuple(nth, fc.nat({ max: 2 })).map(([n, step]) => retry(n, step)),
  fc.tuple(nth, steps).map(([n, step]) => again(n, step)),
  ids.map(remove),
  ids.map(lapse),
];

function command(name: string, run: (model: TimerModel, real: RealTimers) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, real) {
      await run(model, real);
      expect(await real.timers.count(), name).toBe(model.timers.size);
      expect((await real.timers.oldestOverdueMs()) >= stepMs, name).toBe(
        [...model.timers.values()].some(({ due }) => due < 0),
      );
    },
    toString: () => name,
  };
}

function set(id: string, due: Step, payload: string): Command {
  return command(`set ${id} ${due}`, async (model, { timers }) => {
    await timers.set({ id, payload }, due * stepMs);
    model.timers.set(id, fresh(due, payload));
  });
}

function ensure(wanted: readonly (readonly [string, Step])[]): Command {
  return command(`ensure ${JSON.stringify(wanted)}`, async (model, { timers }) => {
    const missing = wanted.filter(
      ([id], index) => !model.timers.has(id) && wanted.findIndex(([other]) => other === id) === index,
    );
    const given = wanted.map(([id, due]) => ({ timer: { id, payload: "ensured" }, inMs: due * stepMs }));
    expect(await timers.ensure(given)).toBe(missing.length);
    for (const [id, due] of missing) model.timers.set(id, fresh(due, "ensured"));
  });
}

function fresh(due: Step, payload: string): ModelTimer {
  return { due, visible: due, payload, claim: undefined, attempts: 0 };
}

/** What is due at the same step may come in any order. */
function claim(limit: number): Command {
  return command(`claim ${limit}`, async (model, { elsewhere }) => {
    const due = [...model.timers].filter(([, { visible }]) => visible <= 0);
    const order = due.map(([, { visible }]) => visible).toSorted((a, b) => a - b);
    const got = await elsewhere.claim(limit);
    expect(got.map(({ id }) => model.timers.get(id)?.visible)).toEqual(order.slice(0, limit));
    for (const claimed of got) {
      const timer = model.timers.get(claimed.id)!;
      timer.attempts += 1;
      expect(claimed).toMatchObject({ payload: timer.payload, attempt: timer.attempts });
      expect(Math.floor(claimed.lateMs / stepMs)).toBe(Math.abs(timer.due));
      expect(model.claims.map((one) => one.claimed.generation)).not.toContain(claimed.generation);
      timer.claim = { claimed };
      timer.visible = leased;
      model.claims.push(timer.claim);
    }
  });
}

type Use = (timers: Timers, claimed: Claimed) => Promise<boolean>;

/** Uses one of the claims that were made, which may have ended long ago. */
function withClaim(name: string, n: number, use: Use, change: (model: TimerModel, id: string) => void): Command {
  return command(name, async (model, { timers }) => {
    const made = model.claims[n % Math.max(model.claims.length, 1)];
    if (made === undefined) return;
    const { id } = made.claimed;
    const holds = model.timers.get(id)?.claim === made;
    expect(await use(timers, made.claimed)).toBe(holds);
    if (holds) change(model, id);
  });
}

function renewed(model: TimerModel, id: string): void {
  model.timers.get(id)!.visible = leased;
}

function forgotten(model: TimerModel, id: string): void {
  model.timers.delete(id);
}

function retry(n: number, step: Step): Command {
  const use: Use = (timers, one) => timers.retry(one, step * stepMs);
  return withClaim(`retry ${n} ${step}`, n, use, (model, id) => {
    Object.assign(model.timers.get(id)!, { visible: step, claim: undefined });
  });
}

function again(n: number, step: Step): Command {
  const use: Use = (timers, one) => timers.again(one, step * stepMs);
  return withClaim(`again ${n} ${step}`, n, use, (model, id) => {
    model.timers.set(id, fresh(step, model.timers.get(id)!.payload));
  });
}

function remove(id: string): Command {
  return command(`remove ${id}`, async (model, { timers }) => {
    await timers.remove(id);
    model.timers.delete(id);
  });
}

/** The claim's time passes: whoever holds it has not renewed it. */
function lapse(id: string): Command {
  return command(`lapse ${id}`, async (model, { redis }) => {
    const timer = model.timers.get(id);
    if (timer?.claim === undefined) return;
    await redis.zadd("{bulkhead}:timers", "XX", String(Date.now() + lapsed * stepMs), id);
    timer.visible = lapsed;
  });
}
