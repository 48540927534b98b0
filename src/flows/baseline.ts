import { added, type Baselines, get, hourOf, set, setHour } from "./baselines.ts";

/** A minute as baselines count: `tick` of all minutes that were judged, so that those of which nothing is known count for nothing. */
export type Moment = { readonly minuteMs: number; readonly tick: number };

/** From where a count of a series is told of, and what its level is. */
export type Usual = {
  /** A minute's count above this is told of, where the next one is, too. */
  readonly limit: number;
  /** What is usual in such a minute. */
  readonly level: number;
  /** Too little is known of it: it is new. */
  readonly isNew: boolean;
};

const dayMs = 24 * 60 * 60_000;
/** What counts as usual follows the last half hour or so. */
const rate = 1 / 30;
/** How much the newest minute counts among the recent ones. */
const newest = 0.4;
/** One minute teaches at most so many spreads: a spike is not usual because it was seen. */
const mostTaught = 2.5;
/** A mean and a spread of fewer minutes says nothing. */
const leastTicks = 30;
const limits = { spreads: 6, habitTimes: 1.75 } as const;

/** What somebody is told of at all, of series of one sort. */
export type Bar = {
  /** No lower count, whatever is usual. */
  readonly least: number;
  /** So many times what is usual. */
  readonly times: number;
};

/** `row` undefined: a series that was never counted. */
export function usualOf(table: Baselines, row: number | undefined, at: Moment, { least, times }: Bar): Usual {
  if (row === undefined) return { limit: least, level: 0, isNew: true };
  const isNew = at.tick - get(table, row, "born") < leastTicks;
  const { level, spread } = faded(table, row, at.tick);
  const habit = habitOf(table, row, at.minuteMs);
  if (isNew && habit === 0) return { limit: least, level: 0, isNew };
  const limit = Math.max(least, level + limits.spreads * spread, level * times, habit * limits.habitTimes);
  return { limit, level: Math.max(level, habit / 2), isNew: false };
}

/** `full`: what the hour of the day remembers beside what was recent. */
export type Lesson = {
  readonly at: Moment;
  readonly full: number;
  /** Which of the two learns. */
  readonly teaches: { readonly level: boolean; readonly habit: boolean };
};

/** Takes a minute's count into what is usual. */
export function learn(table: Baselines, row: number, { at, full, teaches }: Lesson): void {
  const { level, spread } = faded(table, row, at.tick);
  const recent = get(table, row, "recent");
  newDay(table, row, at.minuteMs);
  if (teaches.habit) remember(table, row, at.minuteMs, Math.max(recent, full));
  if (!teaches.level) {
    set(table, row, "level", level);
    set(table, row, "tick", at.tick);
    return;
  }
  const share = Math.max(rate, 1 / (1 + at.tick - get(table, row, "born")));
  const off = recent - level;
  const most = share > rate ? Number.POSITIVE_INFINITY : mostTaught * spread;
  set(table, row, "level", Math.max(0, level + share * Math.max(-most, Math.min(most, off))));
  set(table, row, "spread", Math.max(0, spread + share * (Math.min(Math.abs(off), mostTaught * spread) - spread)));
  set(table, row, "tick", at.tick);
}

/** Whatever was counted in that minute says nothing: what is usual stays, and minutes in a row begin anew. `row` undefined: nothing. */
export function passOver(table: Baselines, row: number | undefined, at: Moment): void {
  if (row === undefined) return;
  set(table, row, "level", faded(table, row, at.tick).level);
  set(table, row, "tick", at.tick);
  set(table, row, "recent", 0);
  set(table, row, "hot", 0);
}

/**
 * Takes a minute's count into the recent ones, and answers with them: a mean of about two minutes, which single minutes
 * that are high by chance move less. The first time that a series is counted, there is nothing before.
 */
export function recentWith(table: Baselines, row: number, at: Moment, count: number): number {
  const gap = Math.max(1, at.tick - get(table, row, "tick"));
  const recent = get(table, row, "recent") * (1 - newest) ** gap + newest * count;
  set(table, row, "recent", recent);
  return recent;
}

/** What is so from now on is usual. */
export function accept(table: Baselines, row: number, count: number): void {
  set(table, row, "level", count);
  set(table, row, "spread", Math.max(1, Math.sqrt(count)));
}

/** The row of a series, which begins where there is none. */
export function rowOf(table: Baselines, id: number, tick: number): { readonly table: Baselines; readonly row: number } {
  const row = table.rows.get(id);
  return row === undefined ? added(table, id, tick) : { table, row };
}

/** Minutes without a count are zeros, which nobody stores. The spread is never less than that of events by chance. */
function faded(table: Baselines, row: number, tick: number): { readonly level: number; readonly spread: number } {
  const [before, wide] = [get(table, row, "level"), get(table, row, "spread")];
  const left = (1 - rate) ** Math.max(0, tick - get(table, row, "tick") - 1);
  const level = before * left;
  return { level, spread: Math.max(wide * left + (before * (1 - left)) / 2, Math.sqrt(level) / 2, 1) };
}

/** The most of a minute within an hour of this time of day, on days before. */
function habitOf(table: Baselines, row: number, minuteMs: number): number {
  const hour = new Date(minuteMs).getUTCHours();
  const isOver = get(table, row, "day") !== dayOf(minuteMs);
  const at = (one: number): number =>
    Math.max(hourOf(table, row, "known", one), isOver ? hourOf(table, row, "today", one) : 0);
  return countOf(Math.max(at((hour + 23) % 24), at(hour), at((hour + 1) % 24)));
}

/** A day's hours become the known ones; those lose a tenth a day, so that what comes weekly is half known. */
function newDay(table: Baselines, row: number, minuteMs: number): void {
  const days = (dayOf(minuteMs) - get(table, row, "day") + 65_536) % 65_536;
  if (days === 0) return;
  for (let hour = 0; hour < 24; hour += 1) {
    const step = Math.max(hourOf(table, row, "known", hour), hourOf(table, row, "today", hour) + 1) - days;
    setHour(table, row, { day: "known", hour }, Math.max(0, step));
    setHour(table, row, { day: "today", hour }, 0);
  }
  set(table, row, "day", dayOf(minuteMs));
  set(table, row, "told", get(table, row, "told") >> 1);
}

function remember(table: Baselines, row: number, minuteMs: number, count: number): void {
  const hour = new Date(minuteMs).getUTCHours();
  const step = Math.max(hourOf(table, row, "today", hour), stepOf(count));
  setHour(table, row, { day: "today", hour }, step);
}

function dayOf(minuteMs: number): number {
  return Math.floor(minuteMs / dayMs) % 65_536;
}

/** Counts in a byte each: steps of a tenth. */
function stepOf(count: number): number {
  return count < 1 ? 0 : Math.min(254, 1 + Math.round(Math.log(count) / Math.log(1.1)));
}

function countOf(step: number): number {
  return step === 0 ? 0 : 1.1 ** (step - 1);
}
