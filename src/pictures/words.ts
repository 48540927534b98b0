import type { MarkKind } from "./picture.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `14:02`; UTC. */
export function minute(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 16);
}

/** `22 Nov`; UTC. */
export function day(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
}

/** The time, with the day where a window holds several. */
export function moment(atMs: number, fromMs: number, toMs: number): string {
  return day(fromMs) === day(toMs) ? minute(atMs) : `${day(atMs)} ${minute(atMs)}`;
}

/** `22 Nov 13:00 to 15:00 UTC`, or with both days. */
export function windowWords(fromMs: number, toMs: number): string {
  const end = day(fromMs) === day(toMs) ? minute(toMs) : `${day(toMs)} ${minute(toMs)}`;
  return `${day(fromMs)} ${minute(fromMs)} to ${end} UTC`;
}

/** `1 240`: with spaces that do not break, since commas and points mean different things to different people. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

/** `12k`, `1.5M`: for an axis, where there is little room; counts below 10 000 in full. */
export function short(count: number): string {
  if (count < 10_000) return grouped(count);
  const [size, sign] = count >= 1e9 ? [1e9, "G"] : count >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  return `${Number((count / size).toPrecision(3))}${sign}`;
}

/** `minute`, `5 minutes`, `hour`, `30 seconds`. */
export function spanWords(ms: number): string {
  const units = [
    [dayMs, "day"],
    [hourMs, "hour"],
    [minuteMs, "minute"],
    [1_000, "second"],
  ] as const;
  const [size, name] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1_000, "second"];
  const count = Number((ms / size).toPrecision(3));
  return count === 1 ? name : `${count} ${name}s`;
}

/** `policy change`, `3 policy changes`. */
export function markWords(kind: MarkKind, count: number): string {
  const name = kind === "policy-change" ? "policy change" : kind;
  return count === 1 ? name : `${count} ${name}s`;
}
