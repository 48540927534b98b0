import { formatDuration } from "../policy/duration.ts";

/** Whole minutes, milliseconds since the epoch: the first that counts, and the first that does not. */
export type FlowWindow = { readonly fromMs: number; readonly toMs: number };

const minuteMs = 60_000;

/** What is asked for where nobody says, milliseconds. */
const usualMs = 15 * minuteMs;

/** The last so many milliseconds, with the minute that is under way. */
export function lastWindow(nowMs: number, sinceMs = usualMs): FlowWindow {
  const toMs = minuteOf(nowMs) + minuteMs;
  return { fromMs: toMs - Math.max(minuteMs, minuteOf(sinceMs)), toMs };
}

/** No more is kept, and no more is read. */
const mostMs = 48 * 60 * minuteMs;

/** From one moment to another, at most its last 48 hours; the minutes of both moments count. */
export function windowBetween(beginMs: number, endMs: number): FlowWindow {
  const toMs = minuteOf(endMs) + minuteMs;
  return { fromMs: Math.max(minuteOf(beginMs), toMs - mostMs), toMs };
}

/** As long a time, right before it. */
export function windowBefore({ fromMs, toMs }: FlowWindow): FlowWindow {
  return { fromMs: fromMs - (toMs - fromMs), toMs: fromMs };
}

/** How long it is, for people. */
export function lengthWords({ fromMs, toMs }: FlowWindow): string {
  return formatDuration(toMs - fromMs);
}

/** `in the last 15m`, or of a time that is over, `from 14:02 to 14:20`. */
export function whenWords(window: FlowWindow, nowMs: number): string {
  if (window.toMs > nowMs) return `in the last ${lengthWords(window)}`;
  return `from ${clockWords(window.fromMs, nowMs)} to ${clockWords(window.toMs, nowMs)}`;
}

/** `14:02`, UTC, of milliseconds since the epoch; with the day, `11-21 14:02`, where that is not the day of `nowMs`. */
export function clockWords(atMs: number, nowMs: number): string {
  const [day, now] = [atMs, nowMs].map((ms) => new Date(ms).toISOString());
  const time = day?.slice(11, 16) ?? "";
  return day?.slice(0, 10) === now?.slice(0, 10) ? time : `${day?.slice(5, 10) ?? ""} ${time}`;
}

function minuteOf(ms: number): number {
  return Math.floor(ms / minuteMs) * minuteMs;
}
